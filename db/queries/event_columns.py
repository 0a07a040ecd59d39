"""Columns of events: read at one moment, and merged into parts."""

import uuid
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from struct import pack
from typing import Any

import numpy as np
from asyncpg import Connection, Record
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import COPY_HEADER, COPY_TRAILER, YEAR_2000, decode, encode, encode_texts
from db.event_parts import EventColumns, make_columns
from db.models import Event
from db.queries.dropped_parts import drop_columns
from db.queries.events import EventFilter

Sent = Sequence[Any]  # arrays as PostgreSQL sends them

ARRAYS = "array_send(occurred), array_send(user_index), array_send(users), array_send(type_index), types"

PARTS = "SELECT token FROM event_part WHERE first_at < $2 AND last_at >= $1 ORDER BY first_at, id"
PART_ARRAYS = f"SELECT token, {ARRAYS} FROM event_part_columns WHERE token = ANY($1)"  # noqa: S608 - a constant
PENDING = """
    SELECT
        array_send(array_agg(each.occurred)),
        array_send(array_agg(each.user_id)),
        array_agg(each.event_type)
    FROM {} AS batch
    CROSS JOIN LATERAL unnest(batch.occurred, batch.user_id, batch.event_type)
        AS each (occurred, user_id, event_type)
"""
# The first batches that hold some $1 events together.
TAKE_BATCHES = f"""
    WITH first_batch AS (
        SELECT id
        FROM (SELECT id, events, sum(events) OVER (ORDER BY id) AS total FROM event_batch) AS numbered
        WHERE total - events < $1
    ),
    taken AS (
        DELETE FROM event_batch USING first_batch WHERE event_batch.id = first_batch.id
        RETURNING event_batch.occurred, event_batch.user_id, event_batch.event_type
    )
    {PENDING.format("taken")}
"""  # noqa: S608 - made of the constants above
TAKE_OLD_BATCHES = f"""
    WITH taken AS (DELETE FROM event_batch WHERE first_at < $1 RETURNING occurred, user_id, event_type)
    {PENDING.format("taken")}
"""  # noqa: S608 - made of the constants above
TAKE_SMALL_PARTS = """
    DELETE FROM event_part WHERE id IN (SELECT id FROM event_part WHERE events < $1 ORDER BY id LIMIT $2)
    RETURNING token
"""
TAKE_OLD_PARTS = "DELETE FROM event_part WHERE first_at < $1 RETURNING token"
PART = ("token", "first_at", "last_at", "events")
COLUMNS = ("token", "occurred", "user_index", "users", "type_index", "types")


async def select_tokens(raw: Connection, since: datetime, until: datetime) -> list[uuid.UUID]:
    """Return the tokens of the parts that may have events of [since, until)."""
    return [row["token"] for row in await raw.fetch(PARTS, since, until)]


async def select_arrays(raw: Connection, tokens: Sequence[uuid.UUID]) -> dict[uuid.UUID, Sent]:
    """Return the arrays of parts, by token."""
    return {token: arrays for token, *arrays in await raw.fetch(PART_ARRAYS, tokens)}


def decode_part(arrays: Sent) -> EventColumns:
    """Decode the arrays of a part."""
    occurred, user, users, types = (decode(array)[0] for array in arrays[:4])
    return EventColumns(occurred, user, users, types, arrays[4])


async def select_pending(raw: Connection) -> Sent:
    """Return what is in no part yet, for `decode_pending`."""
    [arrays] = await raw.fetch(PENDING.format("event_batch"))
    return tuple(arrays)


def decode_pending(arrays: Sent) -> EventColumns | None:
    """Decode what batches hold, or a selection; None if there is nothing."""
    times, user_ids, names = arrays
    if times is None:
        return None
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    codes = np.fromiter((places[name] for name in names), np.int32, len(names))
    return make_columns(decode(times)[0], decode(user_ids)[0], list(places), codes)


async def select_matching(session: AsyncSession, where: EventFilter) -> Sent:
    """Return the events that match, for `decode_pending`."""
    events = select(Event.occurred_at, Event.user_id, Event.event_type).where(*where.conditions()).subquery()
    arrays = (
        func.array_send(func.array_agg(events.c.occurred_at), type_=BYTEA),
        func.array_send(func.array_agg(events.c.user_id), type_=BYTEA),
        func.array_agg(events.c.event_type),
    )
    return list((await session.execute(select(*arrays))).one())


async def take_batches(raw: Connection, events: int) -> EventColumns | None:
    """Delete the first batches, of some so many events, and return what they hold; None if there are none."""
    [arrays] = await raw.fetch(TAKE_BATCHES, events)
    return decode_pending(tuple(arrays))


async def take_small_parts(raw: Connection, small: int, count: int) -> list[EventColumns]:
    """Delete up to `count` parts of less than `small` events, and return them."""
    return await take_columns(raw, await raw.fetch(TAKE_SMALL_PARTS, small, count))


async def take_columns(raw: Connection, parts: Sequence[Record]) -> list[EventColumns]:
    """Return the columns of parts that are deleted; these are deleted later."""
    tokens = [part["token"] for part in parts]
    arrays = await select_arrays(raw, tokens)
    await drop_columns(raw, tokens)
    return [decode_part(arrays[token]) for token in tokens]


async def take_before(raw: Connection, before: datetime) -> list[EventColumns]:
    """Delete the parts and batches that may have events before a moment, and return what they hold."""
    parts = await take_columns(raw, await raw.fetch(TAKE_OLD_PARTS, before))
    [arrays] = await raw.fetch(TAKE_OLD_BATCHES, before)
    pending = decode_pending(tuple(arrays))
    return parts if pending is None else [*parts, pending]


async def insert_part(raw: Connection, columns: EventColumns) -> None:
    """Insert a part of at least one event."""
    token = uuid.uuid4().bytes
    part = [
        token,
        pack(">q", int(columns.occurred[0]) - YEAR_2000),
        pack(">q", int(columns.occurred[-1]) - YEAR_2000),
        pack(">i", len(columns)),
    ]
    arrays = [
        token,
        encode(columns.occurred, "timestamptz"),
        encode(columns.user, "int4"),
        encode(columns.users, "int8"),
        encode(columns.type, "int4"),
        encode_texts(columns.types),
    ]
    await copy_row(raw, "event_part", PART, part)
    await copy_row(raw, "event_part_columns", COLUMNS, arrays)


async def copy_row(raw: Connection, table: str, columns: Sequence[str], fields: Sequence[bytes]) -> None:
    """Insert a row of encoded fields by binary COPY."""
    row = [COPY_HEADER, pack(">h", len(fields))]
    for value in fields:
        row += [pack(">i", len(value)), value]
    source = one_piece(b"".join([*row, COPY_TRAILER]))
    await raw.copy_to_table(table, source=source, columns=columns, format="binary")


async def one_piece(data: bytes) -> AsyncIterator[bytes]:
    """Yield the data: asyncpg would read a file in a thread."""
    yield data
