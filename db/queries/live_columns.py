"""Live visits as columns, for statistics: in order of time, with the ids of their addresses."""

from collections.abc import Collection
from dataclasses import asdict, dataclass

import numpy as np
from asyncpg import Connection

from db.columns import decode
from db.part_files import Array
from db.queries.visit_list import VisitFilter
from db.sql import raw_statement


@dataclass(frozen=True, slots=True)
class LiveColumns:
    """Columns of live visits. Those that nobody asked for are empty.

    :param occurred: microseconds since 1970
    :param address: ids, 0 for none; likewise `category`
    :param user_id: where `has_user` says so
    """

    occurred: Array
    address: Array
    category: Array
    user_id: Array
    has_user: Array
    countries: list[str | None]
    kinds: list[str]
    urls: list[str]

    def __len__(self) -> int:
        return len(self.occurred)


async def select_live_columns(
    raw: Connection, visit_filter: VisitFilter, texts: Collection[str]
) -> LiveColumns:
    """Return the live visits that a filter lets through.

    :param texts: which columns of text are needed, of country, kind and page
    """
    sql, names = raw_statement("visits/live_columns")
    values = asdict(visit_filter) | {f"with_{name}": name in texts for name in ("country", "kind", "page")}
    row = await raw.fetchrow(sql, *(values[name] for name in names))
    assert row is not None
    if row["occurred"] is None:
        none = np.empty(0, np.int64)
        return LiveColumns(none, none, none, none, none.astype(np.bool_), [], [], [])
    user_id, has_user = decode(row["user_id"])
    return LiveColumns(
        occurred=decode(row["occurred"])[0],
        address=decode(row["address"])[0],
        category=decode(row["category"])[0],
        user_id=user_id,
        has_user=np.ones(len(user_id), np.bool_) if has_user is None else has_user,
        countries=row["countries"] or [],
        kinds=row["kinds"] or [],
        urls=row["urls"] or [],
    )
