"""Takes visits of parts that are deleted away from roll-ups."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import subtract_counts
from db.columns import Values
from db.kinds import KIND_CODES
from db.queries.address_countries import AddressCountries
from db.queries.bots import select_bots
from db.queries.part_columns import LOG, Columns, PartSpan, select_columns
from db.queries.visits import KEYS, add_counts_to_rollups
from db.rollup_counts import DAY, CountedColumns, rollup_literals
from db.threads import run_in_thread

# What visits are counted by, and told from others.
NAMES = ("occurred", "kind", "page_id", "address_id", "agent_id", "request_id")
KIND_INDEX = np.zeros(256, np.int64)
KIND_INDEX[[ord(code) for code in KIND_CODES.values()]] = np.arange(len(KIND_CODES))
DELETE_DAYS = [
    text(
        f"DELETE FROM {model.__tablename__} WHERE source = :log "  # noqa: S608 - names of our own
        f"AND {at} >= to_timestamp(0) + CAST(:since AS bigint) * interval '1 microsecond' "
        f"AND {at} < to_timestamp(0) + CAST(:until AS bigint) * interval '1 microsecond'"
    )
    for model, names in KEYS.items()
    for at in {"quarter", "day"}.intersection(names)
]


def concatenate(parts: Sequence[Columns], names: Sequence[str] = NAMES) -> Columns:
    """Return the visits of several parts."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}


async def count_columns(
    session: AsyncSession, columns: Columns, countries: AddressCountries
) -> CountedColumns:
    """Return what roll-ups count visits by. The caller holds the writers' lock."""
    country = await countries.get(session, columns["address_id"])
    return CountedColumns(
        occurred=columns["occurred"],
        kind=KIND_INDEX[columns["kind"]],
        category_id=await select_categories(session, columns["page_id"]),
        country=country,
        countries=countries.names,
        is_bot=await select_bots(session, columns["agent_id"]),
    )


async def select_categories(session: AsyncSession, page_ids: Values) -> Values:
    """Return the category of each page: 0 where it has none."""
    distinct = np.flatnonzero(np.bincount(page_ids))
    rows = await session.execute(
        text("SELECT id, category_id FROM page WHERE id = ANY(:ids) AND category_id IS NOT NULL"),
        {"ids": distinct.tolist()},
    )
    categories = np.zeros(int(distinct.max(initial=0)) + 1, np.int64)
    for page_id, category_id in rows:
        categories[page_id] = category_id
    return categories[page_ids]


async def subtract_from_rollups(session: AsyncSession, columns: CountedColumns, source: str) -> None:
    """Take visits of parts, all of one source, away from every roll-up."""
    for model, counts in await run_in_thread(lambda: rollup_literals(columns, source=source, sign=-1)):
        await subtract_counts(session, model, counts)


def days_of(spans: Sequence[PartSpan]) -> tuple[int, int]:
    """Return when the first day (UTC) of parts begins, and when the last one ends, in microseconds."""
    first, last = min(span.first_at for span in spans), max(span.last_at for span in spans)
    return first // DAY * DAY, (last // DAY + 1) * DAY


async def select_visits(session: AsyncSession, spans: Sequence[PartSpan]) -> Columns:
    """Return what visits of parts are counted by. The caller holds the lock of parts, which are all there."""
    parts = [await select_columns(session, span, NAMES) for span in spans]
    return concatenate([part for part in parts if part is not None])


async def delete_rollups_of_days(session: AsyncSession, since: int, until: int) -> None:
    """Delete what roll-ups count of logs from one day (UTC) to another. The caller holds the lock of parts.

    :param since: when the first day begins, in microseconds since 1970
    :param until: when the last one ends
    """
    for query in DELETE_DAYS:
        await session.execute(query, {"since": since, "until": until, "log": LOG})


async def add_visits_of_days(
    session: AsyncSession, visits: Columns, countries: AddressCountries, *, since: int, until: int
) -> None:
    """Count those visits of logs in roll-ups that are within some days."""
    within = (visits["occurred"] >= since) & (visits["occurred"] < until)
    if within.any():
        visits = {name: values[within] for name, values in visits.items()}
        counted = await count_columns(session, visits, countries)
        await add_counts_to_rollups(session, await run_in_thread(lambda: rollup_literals(counted)))
