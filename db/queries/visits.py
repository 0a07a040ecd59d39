"""Visits of logs, and the roll-ups that count all visits."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from typing import Any

import polars as pl
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import (
    add_counts,
    array_literals,
    delete_zero_counts,
)
from db.models import Base, CategoryCountryDay, CategoryQuarter, CountryDay, PageVisits, RequestQuarter
from db.queries.names import name_digest
from db.rollup_counts import Rollups
from db.threads import run_in_thread

COUNTRY_ROLLUPS = (CountryDay, CategoryCountryDay)


async def add_to_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Count newly inserted visits in every roll-up. Times are in UTC."""
    for model, counts in await run_in_thread(lambda: rollup_literals(visits)):
        await add_counts(session, model, counts)


async def add_counts_to_rollups(session: AsyncSession, counts: Rollups) -> None:
    """Add counts, as `db.rollup_counts.rollup_literals` writes them, to roll-ups."""
    for model, arrays in counts:
        await add_counts(session, model, arrays)


async def add_to_country_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Count visits that have got a country. The caller is the only writer."""
    for model, counts in await run_in_thread(lambda: rollup_literals(visits, only=COUNTRY_ROLLUPS)):
        await add_counts(session, model, counts)


async def subtract_from_rollups(session: AsyncSession, visits: pl.DataFrame) -> None:
    """Take deleted visits away from every roll-up. The caller is the only writer."""
    for model, counts in await run_in_thread(lambda: rollup_literals(visits, sign=-1)):
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


def rollup_literals(
    visits: pl.DataFrame, *, sign: int = 1, only: Container[type[Base]] | None = None
) -> list[tuple[type[Base], dict[str, str]]]:
    """Write what visits add to roll-ups (`sign` 1), or take away (-1), as array literals."""
    return [
        (model, array_literals(counts.with_columns(pl.col("requests").cast(pl.Int64) * sign)))
        for model, counts in rollups_of(visits)
        if not counts.is_empty() and (only is None or model in only)
    ]


def rollups_of(visits: pl.DataFrame) -> list[tuple[type[Base], pl.DataFrame]]:
    """Count visits for each roll-up, in the order in which roll-ups are written."""
    requests = visits.select(
        "category_id",
        "country",
        "kind",
        "source",
        "is_bot",
        quarter=pl.col("occurred_at").dt.truncate("15m"),
        day=pl.col("occurred_at").dt.truncate("1d"),
    )
    pages = requests.filter(pl.col("category_id").is_not_null())
    with_country = requests.filter(pl.col("country").is_not_null())
    pages_with_country = with_country.filter(pl.col("category_id").is_not_null())
    return [
        (RequestQuarter, count_by(requests, "quarter", "source", "is_bot")),
        (CategoryQuarter, count_by(pages, "category_id", "quarter", "kind", "source", "is_bot")),
        (CountryDay, count_by(with_country, "day", "country", "source", "is_bot")),
        (
            CategoryCountryDay,
            count_by(pages_with_country, "category_id", "day", "country", "kind", "source", "is_bot"),
        ),
    ]


def count_by(visits: pl.DataFrame, *key: str) -> pl.DataFrame:
    return visits.group_by(*key).agg(requests=pl.len())
