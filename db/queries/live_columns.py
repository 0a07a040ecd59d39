"""Live visits as columns, for statistics: in order of time, with the ids of their addresses."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from asyncpg import Connection

from db.address_ids import AddressIds
from db.columns import decode
from db.part_files import Array
from db.queries.visit_list import VisitFilter, page_parameters
from db.sql import raw_statement

CHOSEN = ("country", "kind", "page", "agent", "referrer")


@dataclass(frozen=True, slots=True)
class LiveColumns:
    """Columns of live visits. Those that nobody asked for are empty.

    :param occurred: microseconds since 1970
    :param address: ids, 0 for none; likewise `category`, `agent` and `referrer`
    :param user_id: where `has_user` says so
    """

    occurred: Array
    address: Array
    category: Array
    user_id: Array
    has_user: Array
    agent: Array
    referrer: Array
    countries: list[str | None]
    kinds: list[str]
    urls: list[str]

    def __len__(self) -> int:
        return len(self.occurred)


async def select_live_columns(
    raw: Connection, visit_filter: VisitFilter, names: Collection[str], address_ids: AddressIds
) -> LiveColumns:
    """Return the live visits that a filter lets through.

    :param names: which columns are needed, of country, kind, page, agent and referrer
    """
    sql, parameters = raw_statement("visits/live_columns")
    values = visit_filter.values() | {f"with_{name}": name in names for name in CHOSEN}
    row = await raw.fetchrow(sql, *(values[name] for name in parameters))
    assert row is not None
    if row["occurred"] is None:
        none = np.empty(0, np.int64)
        return LiveColumns(none, none, none, none, none.astype(np.bool_), none, none, [], [], [])
    user_id, has_user = decode(row["user_id"])
    return LiveColumns(
        occurred=decode(row["occurred"])[0],
        address=await address_ids.of_rows(raw, decode(row["address"])[0], row["addresses"] or []),
        category=decode(row["category"])[0],
        user_id=user_id,
        has_user=np.ones(len(user_id), np.bool_) if has_user is None else has_user,
        agent=ids_of(row["agent"]),
        referrer=ids_of(row["referrer"]),
        countries=row["countries"] or [],
        kinds=row["kinds"] or [],
        urls=row["urls"] or [],
    )


def ids_of(array: bytes | None) -> Array:
    return np.empty(0, np.int32) if array is None else decode(array)[0]


async def select_live_keys(
    raw: Connection, visit_filter: VisitFilter, *, after: tuple[datetime, UUID] | None, limit: int
) -> tuple[Array, Array]:
    """Return the times, in microseconds since 1970, and ids of live visits after a key, newest first."""
    sql, names = raw_statement("visits/live_visit_keys")
    values = page_parameters(visit_filter, after) | {"limit": limit}
    row = await raw.fetchrow(sql, *(values[name] for name in names))
    assert row is not None
    if row["occurred"] is None:
        return np.empty(0, np.int64), np.empty(0, "S16")
    return decode(row["occurred"])[0], decode(row["ids"])[0]
