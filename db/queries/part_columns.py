"""Parts of visits: which there are, and their columns as numpy arrays."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy import LargeBinary, column, func, select, table, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values
from db.narrow_columns import Arrays, decode_arrays, with_forms
from db.part_files import NO_VISITOR
from db.queries.dropped_parts import drop_columns
from db.sessions import raw_connection
from db.threads import run_in_thread

TYPES = {
    "occurred": "timestamptz",
    "key": "int8",
    "position": "int8",
    "address_id": "int4",
    "page_id": "int4",
    "kind": '"char"',
    "cart_id": "int8",
    "goods_id": "int8",
    "amount": "int8",
    "user_id": "int8",
    "method": '"char"',
    "status": "int2",
    "bytes": "int8",
    "referrer_id": "int4",
    "agent_id": "int4",
    "request_id": "uuid",
    "visitor_id": "int8",
}
NAMES = tuple(TYPES)
LOG = "log"
NO_VALUE = {"bytes": -1, "visitor_id": NO_VISITOR}  # what stands for no value where it is not 0
NO_ID = np.dtype("S1")  # of lines, whose ids follow from time and key
Columns = Mapping[str, Values]  # by name, as long as the part: 0 or NO_VALUE where a visit has none


@dataclass(frozen=True, slots=True)
class PartSpan:
    """What is known of a part without its columns. Times are microseconds since 1970.

    :param token: names what it holds once and for all
    :param source: of all its visits: log, or that of live ones
    :param cart_ids: the first and the last cart that its visits name; None if they name none
    """

    id: int
    token: uuid.UUID
    import_id: int
    first_at: int
    last_at: int
    visits: int
    first_position: int
    host: str
    cart_ids: tuple[int, int] | None
    source: str = LOG

    @property
    def is_live(self) -> bool:
        """Whether its visits were live ones."""
        return self.source != LOG


SPANS = """
    SELECT
        id, token, import_id, source,
        CAST(extract(epoch FROM first_at) * 1000000 AS bigint) AS first_at,
        CAST(extract(epoch FROM last_at) * 1000000 AS bigint) AS last_at,
        visits, first_position, host, lower(cart_ids) AS first_cart, upper(cart_ids) AS end_cart
    FROM visit_part
    WHERE
        (CAST(:import_id AS bigint) IS NULL OR import_id = :import_id)
        AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))
        AND (CAST(:since AS bigint) IS NULL OR last_at >= to_timestamp(0) + :since * interval '1 microsecond')
        AND (CAST(:until AS bigint) IS NULL OR first_at < to_timestamp(0) + :until * interval '1 microsecond')
    ORDER BY last_at DESC, id DESC
"""
METADATA = ("id", "token", "import_id", "source", "first_at", "last_at", "visits", "first_position", "host")
LAST_CART = 2**63 - 1  # a range that holds it has no upper bound, or there would be no number for it


async def select_part_spans(
    session: AsyncSession,
    *,
    import_id: int | None = None,
    ids: Sequence[int] | None = None,
    since: int | None = None,
    until: int | None = None,
) -> list[PartSpan]:
    """Return the parts, the newest first: of an import, of these ids, or with visits in [since, until)."""
    rows = await session.execute(
        text(SPANS), {"import_id": import_id, "ids": ids, "since": since, "until": until}
    )
    return [
        PartSpan(cart_ids=cart_range(first, end), **dict(zip(METADATA, values, strict=True)))
        for *values, first, end in rows
    ]


def cart_range(first: int | None, end: int | None) -> tuple[int, int] | None:
    if first is None:
        return None
    return first, LAST_CART if end is None else end - 1


async def select_columns(
    session: AsyncSession, span: PartSpan, names: Collection[str] = NAMES
) -> Columns | None:
    """Return columns of a part; None if it is gone."""
    assert set(names) <= set(NAMES)
    stored = with_forms(names)
    arrays = [func.array_send(column(name), type_=LargeBinary) for name in stored]
    query = select(*arrays).select_from(table("visit_part_columns")).where(column("token") == span.token)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        return None
    encoded = dict(zip(stored, row, strict=True))
    return await run_in_thread(lambda: decode_columns(span, names, encoded))


def decode_columns(span: PartSpan, names: Collection[str], arrays: Arrays) -> Columns:
    """Decode the arrays of a part; a column that it does not store is filled with its default."""
    columns: dict[str, Values] = {}
    for name, decoded in decode_arrays(arrays, names).items():
        none = NO_VALUE.get(name, 0)
        if decoded is not None:
            columns[name], valid = decoded
            if none and valid is not None:
                columns[name][~valid] = none
        elif TYPES[name] == "uuid":
            columns[name] = np.zeros(span.visits, NO_ID)
        elif name == "position":
            columns[name] = np.arange(span.first_position, span.first_position + span.visits)
        else:
            columns[name] = np.full(span.visits, none, np.int64)
    return columns


async def count_parts(session: AsyncSession, part_ids: Collection[int]) -> int:
    """Return how many of the parts there are."""
    query = text("SELECT count(*) FROM visit_part WHERE id = ANY(:ids)")
    count: int = await session.scalar(query, {"ids": list(part_ids)})
    return count


async def delete_parts(session: AsyncSession, part_ids: Collection[int]) -> int:
    """Delete parts; return how many there were. The caller holds the lock of parts."""
    query = text("DELETE FROM visit_part WHERE id = ANY(:ids) RETURNING token")
    tokens = list(await session.scalars(query, {"ids": list(part_ids)}))
    await drop_columns(await raw_connection(session), tokens)
    return len(tokens)
