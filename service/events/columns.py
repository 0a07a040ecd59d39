"""The columns of events as they are at one moment, a part at a time."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import numpy as np

from calendar_days import FIRST_TIME, LAST_TIME, microseconds
from db.array_files import Array
from db.database import Database
from db.event_parts import EventColumns
from db.event_store import EventStore
from db.event_users import UserCodes
from db.queries import event_columns as queries
from db.queries.dropped_parts import select_late_columns
from db.queries.event_stats import select_first_and_last_time
from db.queries.events import EventFilter
from db.read_threads import Waiting, run_while_awaited
from db.sessions import raw_connection

DECODED = 4  # parts whose arrays are asked for at a time

Parts = dict[uuid.UUID, EventColumns]


@dataclass(frozen=True, slots=True)
class EventBlock:
    """Events in order of time: some rows of a part. What is not asked for is not computed."""

    part: EventColumns
    rows: slice | Array
    numbers: Array
    places: Array

    def __len__(self) -> int:
        return len(self.occurred)

    @property
    def occurred(self) -> Array:
        """Microseconds since 1970."""
        return self.part.occurred[self.rows]

    @property
    def user(self) -> Array:
        """Numbers of users."""
        return self.numbers.take(self.part.user[self.rows])

    @property
    def type(self) -> Array:
        """Index into the types of all."""
        return self.places.take(self.part.type[self.rows])


@dataclass(frozen=True, slots=True)
class Events:
    """The events that a filter lets through.

    :param user_ids: by number
    :param types: in order
    :param first: the time of the oldest event of all, whatever the filter; None without any
    :param last: of the newest
    """

    parts: Sequence[tuple[EventColumns, Array]]
    where: EventFilter
    user_ids: Array
    types: Sequence[str]
    first: datetime | None
    last: datetime | None

    @property
    def users(self) -> int:
        """More than all numbers of users."""
        return len(self.user_ids)

    def blocks(self, waiting: Waiting) -> Iterator[EventBlock]:
        """Yield the events, a part of them at a time, for as long as somebody waits."""
        places = {name: place for place, name in enumerate(self.types)}
        for part, numbers in self.parts:
            waiting.check()
            types = np.array([places[name] for name in part.types], np.int32)
            block = EventBlock(part, matching_rows(part, self.where), numbers, types)
            if len(block):
                yield block


def matching_rows(part: EventColumns, where: EventFilter) -> slice | Array:
    """Return the rows of a part that match; properties have been looked at before."""
    begin, end = np.searchsorted(part.occurred, bounds_of(where)).tolist()
    mask: Array | None = None
    for value, names, codes in (
        (where.event_type, part.types, part.type),
        (where.user_id, part.users, part.user),
    ):
        if value is not None:
            [code] = np.flatnonzero(np.asarray(names) == value)[:1].tolist() or [-1]
            same = codes[begin:end] == code
            mask = same if mask is None else mask & same
    return slice(begin, end) if mask is None else begin + np.flatnonzero(mask)


def bounds_of(where: EventFilter) -> tuple[int, int]:
    """Return the period of a filter in microseconds since 1970."""
    since, until = where.since or FIRST_TIME, where.until or LAST_TIME
    return microseconds(since), microseconds(until)


async def read_events(db: Database, store: EventStore, where: EventFilter) -> Events:
    """Return the events that match, all of one moment."""
    async with db.snapshot() as session:
        first, last = await select_first_and_last_time(session)
        raw = await raw_connection(session)
        if where.properties:
            pending, columns = await queries.select_matching(session, where), Parts()
        else:
            since, until = where.since or FIRST_TIME, where.until or LAST_TIME
            tokens = await queries.select_tokens(raw, since, until)
            pending, columns = await queries.select_pending(raw), await read_parts(db, raw, store, tokens)
    return await run_while_awaited(lambda _: number_users(store, where, columns, pending, (first, last)))


async def read_parts(db: Database, raw: Any, store: EventStore, tokens: Sequence[uuid.UUID]) -> Parts:
    """Return parts, from files or from PostgreSQL where there are none."""
    files = store.files
    columns = files.peek(tokens)
    if len(columns) < len(tokens):
        columns = await run_while_awaited(lambda _: files.get_all(tokens))
    missing = [token for token in tokens if token not in columns]
    for begin in range(0, len(missing), DECODED):
        some = missing[begin : begin + DECODED]
        rows = await queries.select_arrays(raw, some)
        if late := [token for token in some if token not in rows]:
            rows |= await select_late_columns(db, queries.select_arrays, late)
        columns |= await run_while_awaited(partial(decode, store, rows))
    return {token: columns[token] for token in tokens}


def decode(store: EventStore, rows: Mapping[uuid.UUID, Any], waiting: Waiting) -> Parts:
    """Decode parts, and write their files."""
    columns = {}
    for token, row in rows.items():
        waiting.check()
        columns[token] = store.files.put(token, queries.decode_part(row))
    return columns


def number_users(
    store: EventStore,
    where: EventFilter,
    columns: Parts,
    pending: Sequence[Any],
    span: tuple[datetime | None, datetime | None],
) -> Events:
    """Number the users of all parts, and of what is in no part yet."""
    users = store.users
    if users is None or users.is_stale(sum(len(part.users) for part in columns.values())):
        users = store.users = UserCodes()
    users.drop_all_but(columns.keys())
    parts = [(part, users.number(part.users, token)) for token, part in columns.items()]
    rest = queries.decode_pending(pending)
    if rest is not None:
        parts.append((rest, users.number(rest.users)))
    types = sorted({name for part, _ in parts for name in part.types})
    return Events(parts, where, users.ids, types, *span)
