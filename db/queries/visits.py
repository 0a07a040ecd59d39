"""The roll-ups that count visits."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import add_counts, delete_zero_counts
from db.models import Base, CategoryCountryDay, CategoryQuarter, CountryDay, PageVisits, RequestQuarter
from db.queries.names import name_digest
from db.rollup_counts import Rollups
from db.sessions import AnyRow
from db.threads import run_in_thread

COUNTRY_ROLLUPS = (CountryDay, CategoryCountryDay)
KEYS: dict[type[Base], tuple[str, ...]] = {
    RequestQuarter: ("quarter", "source", "is_bot"),
    CategoryQuarter: ("category_id", "quarter", "kind", "source", "is_bot"),
    CountryDay: ("day", "country", "source", "is_bot"),
    CategoryCountryDay: ("category_id", "day", "country", "kind", "source", "is_bot"),
}


async def add_counts_to_rollups(session: AsyncSession, counts: Rollups) -> None:
    """Add counts, as `db.rollup_counts.rollup_literals` writes them, to roll-ups."""
    for model, arrays in counts:
        await add_counts(session, model, arrays)


async def add_to_country_rollups(session: AsyncSession, visits: Sequence[AnyRow]) -> None:
    """Count live visits that have got a country. The caller is the only writer."""
    for model, counts in await run_in_thread(lambda: rollups_of(visits)):
        if model in COUNTRY_ROLLUPS:
            await add_counts(session, model, counts)


async def subtract_from_rollups(session: AsyncSession, visits: Sequence[AnyRow]) -> None:
    """Take deleted live visits away from every roll-up. The caller is the only writer."""
    for model, counts in await run_in_thread(lambda: rollups_of(visits, sign=-1)):
        await add_counts(session, model, counts)
        await delete_zero_counts(session, model, counts)


async def subtract_page_views(session: AsyncSession, page_urls: Iterable[str] | Mapping[str, int]) -> None:
    """Take deleted live visits away from their pages' counts, in the order of the pages' digests.

    :param page_urls: the page of each visit, if it is named by its path; or how many visits each has
    """
    visits = dict(sorted(Counter(page_urls).items(), key=lambda item: name_digest(item[0])))
    if visits:
        counts: dict[str, list[Any]] = {
            "page_sha256": [name_digest(page_url) for page_url in visits],
            "visits": [-count for count in visits.values()],
        }
        await add_counts(session, PageVisits, counts)
        await delete_zero_counts(session, PageVisits, counts)


def rollups_of(visits: Sequence[AnyRow], *, sign: int = 1) -> list[tuple[type[Base], dict[str, list[Any]]]]:
    """Return what live visits add to roll-ups (`sign` 1), or take away (-1), in the order of writing."""
    counts: dict[type[Base], Counter[tuple[Any, ...]]] = {model: Counter() for model in KEYS}
    for visit in visits:
        at: datetime = visit.occurred_at
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        day, origin = quarter.replace(hour=0, minute=0), (visit.source, visit.is_bot)
        category_id, country, kind = visit.category_id, visit.country, visit.kind
        counts[RequestQuarter][quarter, *origin] += sign
        if category_id is not None:
            counts[CategoryQuarter][category_id, quarter, kind, *origin] += sign
        if country is not None:
            counts[CountryDay][day, country, *origin] += sign
            if category_id is not None:
                counts[CategoryCountryDay][category_id, day, country, kind, *origin] += sign
    return [(model, columns_of(KEYS[model], rows)) for model, rows in counts.items() if rows]


def columns_of(key: Sequence[str], counts: Counter[tuple[Any, ...]]) -> dict[str, list[Any]]:
    columns = dict(zip(key, map(list, zip(*counts, strict=True)), strict=True))
    return columns | {"requests": list(counts.values())}
