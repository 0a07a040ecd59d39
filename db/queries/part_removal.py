"""Subtracts visits of deleted parts from what was derived from them."""

from collections.abc import Sequence

import numpy as np
from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.bulk import subtract_counts
from db.columns import Values
from db.kinds import KIND_CODES
from db.models import CategoryCountryDay, CategoryQuarter, CountryDay, RequestQuarter
from db.queries.address_countries import AddressCountries
from db.queries.bots import select_bots
from db.queries.part_columns import LOG, Columns
from db.rollup_counts import CountedColumns, rollup_literals
from db.threads import run_in_thread

# What visits are subtracted by.
NAMES = ("occurred", "kind", "page_id", "address_id", "cart_id", "agent_id", "request_id")
KIND_INDEX = np.zeros(256, np.int64)
KIND_INDEX[[ord(code) for code in KIND_CODES.values()]] = np.arange(len(KIND_CODES))


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


async def empty_rollups_of_logs(session: AsyncSession) -> None:
    """Delete what roll-ups count of logs. The caller holds the lock of parts, and none of a log is left."""
    for model in (RequestQuarter, CategoryQuarter, CountryDay, CategoryCountryDay):
        await session.execute(delete(model).where(model.source == LOG))
