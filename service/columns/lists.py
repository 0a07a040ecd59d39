"""The newest visits of parts that a filter lets through, in order of (time, id)."""

import uuid
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from operator import itemgetter
from typing import Any

import numpy as np

from calendar_days import MICROSECOND, instant, microseconds
from db.kinds import KIND_NAMES, METHOD_NAMES
from db.part_files import NO_BYTES, Array, PartColumns
from db.queries.column_reads import PageName, Span
from db.read_threads import Waiting, run_while_awaited
from db.visit_ids import id_texts
from service.columns.matching import PartFilter, Rows, count_rows, matching_rows
from service.columns.snapshot import Parts, Snapshot, chunks
from service.columns.templates import template_at

LAST_INSTANT = datetime.max.replace(tzinfo=UTC)
ALL = slice(None)
FIRST_READS = (1, 1, 2, 4, 8)  # parts that are read at a time: most lists end in the first

Cursor = tuple[datetime, uuid.UUID]  # the time and id of a visit


@dataclass(frozen=True, slots=True)
class LineRows:
    """Rows of a part, oldest first."""

    span: Span
    part: PartColumns
    rows: Array

    @property
    def occurred(self) -> Array:
        return self.part.occurred[self.rows]


@dataclass(frozen=True, slots=True)
class Lines:
    """Rows of parts: their times, and where each stands."""

    occurred: Array
    source: Array
    row: Array
    parts: Sequence[LineRows]

    def __len__(self) -> int:
        return len(self.occurred)

    def ids(self, places: Array | slice = ALL) -> Array:
        """Return the ids of some of the lines, as bytes."""
        source, row = self.source[places], self.row[places]
        if len(self.parts) == 1:
            return self.parts[0].part.ids_at(row)
        ids = np.empty(len(source), "S16")
        for number in np.unique(source).tolist():
            here = source == number
            ids[here] = self.parts[number].part.ids_at(row[here])
        return ids


async def newest_lines(
    snapshot: Snapshot, criteria: PartFilter, *, after: Cursor | None, limit: int, spans: Sequence[Span]
) -> Lines:
    """Return log lines that hold the `limit` newest after the cursor: a few more than those, in no order.

    :param spans: the parts that may have them, those with the newest first
    """
    if after is not None:
        at = microseconds(after[0])
        spans = [span for span in spans if span.first_at <= at]
    line_rows: list[LineRows] = []
    sizes, place = list(FIRST_READS), 0
    while place < len(spans) and not is_complete(line_rows, spans[place].last_at, limit):
        size = sizes.pop(0) if sizes else 32
        parts = await snapshot.read(spans[place : place + size])
        find_rows = partial(last_rows, snapshot, criteria, parts, (after, limit))
        line_rows += (
            find_rows(Waiting()) if criteria.takes_times_alone else await run_while_awaited(find_rows)
        )
        place += size
    return gather(line_rows)


def is_complete(line_rows: Sequence[LineRows], newest: int, limit: int) -> bool:
    """Return whether no row of parts that end at `newest` belongs to the list any more."""
    later = sum(
        len(lines.rows) - int(np.searchsorted(lines.occurred, newest, "right"))
        for lines in line_rows
        if lines.span.last_at > newest
    )
    return later >= limit


def last_rows(
    snapshot: Snapshot,
    criteria: PartFilter,
    parts: Parts,
    page: tuple[Cursor | None, int],
    waiting: Waiting,
) -> list[LineRows]:
    """Return of each part the last rows before the cursor that the filter lets through, up to a limit."""
    (after, limit), line_rows = page, []
    for span, part in parts:
        waiting.check()
        end = None if after is None else rows_before(part, after)
        rows = matching_rows(snapshot, criteria, span, part, end=end)
        if count_rows(rows):
            line_rows.append(LineRows(span, part, last_of(rows, limit)))
    return line_rows


def last_of(rows: Rows, limit: int) -> Array:
    if isinstance(rows, slice):
        return np.arange(max(rows.start, rows.stop - limit), rows.stop)
    return rows[-limit:]


def rows_before(part: PartColumns, cursor: Cursor) -> int:
    """Return how many rows of a part come before a visit in order of (time, id)."""
    at, visit_id = microseconds(cursor[0]), cursor[1]
    begin, end = np.searchsorted(part.occurred, at), np.searchsorted(part.occurred, at, "right")
    ids = part.ids_at(slice(begin, end))
    return int(begin + np.searchsorted(ids, np.bytes_(visit_id.bytes)))


def gather(line_rows: Sequence[LineRows]) -> Lines:
    """Return the rows of all parts, in the order of the parts."""
    if len(line_rows) == 1:  # most lists end in the first part
        [lines] = line_rows
        return Lines(lines.occurred, np.zeros(len(lines.rows), np.int64), lines.rows, line_rows)
    none = np.empty(0, np.int64)
    return Lines(
        np.concatenate([none, *(lines.occurred for lines in line_rows)]),
        np.repeat(np.arange(len(line_rows)), [len(lines.rows) for lines in line_rows]),
        np.concatenate([none, *(lines.rows for lines in line_rows)]),
        line_rows,
    )


async def show_lines(snapshot: Snapshot, lines: Lines, places: Sequence[int]) -> list[tuple[Any, ...]]:
    """Return the values of some of the lines: those of a Visit, in its order."""
    pages, referrers, shown = set[int](), set[int](), rows_by_part(lines, np.array(places, np.int64))
    for _, here in shown:
        pages.update(here.part.page.take(here.rows).tolist())
        referrers.update(here.part.values("referrer", here.rows).tolist())
    names = await snapshot.names.of_pages(snapshot.raw, pages - {0})
    urls = await snapshot.names.of_referrers(snapshot.raw, referrers - {0})
    values: dict[int, tuple[Any, ...]] = {}
    for indices, here in shown:
        columns = [*shop_columns(snapshot, here, names), *request_columns(snapshot, here, urls)]
        values |= zip(indices, zip(*columns, strict=True), strict=True)
    return [values[place] for place in range(len(places))]


def rows_by_part(lines: Lines, places: Array) -> list[tuple[Sequence[int], LineRows]]:
    """Return the rows of some of the lines part by part, and which of them these are."""
    source, row = lines.source.take(places), lines.row.take(places)
    if len(lines.parts) == 1:
        return [(range(len(places)), LineRows(lines.parts[0].span, lines.parts[0].part, row))]
    shown: list[tuple[Sequence[int], LineRows]] = []
    for number in np.unique(source).tolist():
        at = np.flatnonzero(source == number)
        shown.append((at.tolist(), LineRows(lines.parts[number].span, lines.parts[number].part, row[at])))
    return shown


def shop_columns(snapshot: Snapshot, lines: LineRows, names: Mapping[int, PageName]) -> list[list[Any]]:
    """Return the fields of lines that come before those of their requests, in their order in a list."""
    part, rows, host = lines.part, lines.rows, lines.span.host
    pages = [names.get(page) for page in part.page.take(rows).tolist()]
    numbers = np.searchsorted(part.number_rows, rows).tolist()
    users, has_user = part.users_at(rows)
    codes = snapshot.addresses.codes.take(part.address.take(rows))
    return [
        id_texts(part.ids_at(rows)),
        [instant(at) for at in lines.occurred.tolist()],
        [
            template_at(part, host, number).url if page is None else page.url
            for page, number in zip(pages, numbers, strict=True)
        ],
        [user if has else None for user, has in zip(users.tolist(), has_user.tolist(), strict=True)],
        [snapshot.addresses.countries[code] for code in codes.tolist()],
        [lines.span.source] * len(rows),
        [KIND_NAMES[chr(kind)] for kind in part.kind.take(rows).tolist()],
        [None if page is None else page.category for page in pages],
        [None if page is None else page.product for page in pages],
    ]


def request_columns(snapshot: Snapshot, lines: LineRows, urls: Mapping[int, str]) -> list[list[Any]]:
    """Return what lines say beyond the shop's fields."""
    methods, statuses, sizes, referrers = (
        lines.part.values(name, lines.rows).tolist() for name in ("method", "status", "bytes", "referrer")
    )
    return [
        [METHOD_NAMES[chr(method)] if method else None for method in methods],
        [status or None for status in statuses],
        [None if size == NO_BYTES else size for size in sizes],
        [urls.get(referrer) for referrer in referrers],
        *snapshot.agents.columns(lines.part.values("agent", lines.rows)),
    ]


async def find_visit(snapshot: Snapshot, at: datetime, visit_id: uuid.UUID) -> tuple[Any, ...] | None:
    """Return the values of the visit in a part with a time and an id; None if there is none."""
    spans = await snapshot.spans(at, min(at + MICROSECOND, LAST_INSTANT))
    for some in chunks(spans, 1):
        [(span, part)] = await snapshot.read(some)
        row = find_row(part, microseconds(at), visit_id)
        if row is not None:
            lines = gather([LineRows(span, part, np.array([row]))])
            return (await show_lines(snapshot, lines, [0]))[0]
    return None


async def find_log_lines(snapshot: Snapshot, times: Mapping[uuid.UUID, datetime]) -> set[uuid.UUID]:
    """Return those of the ids that log lines have; `times` are what the ids say of them."""
    targets = sorted((microseconds(at), visit_id) for visit_id, at in times.items())
    first, last = min(times.values()), max(times.values())
    ids = set[uuid.UUID]()
    for some in chunks(await snapshot.spans(first, min(last + MICROSECOND, LAST_INSTANT), ["log"]), 1):
        [(_, part)] = await snapshot.read(some)
        begin = bisect_left(targets, int(part.occurred[0]), key=itemgetter(0))
        end = bisect_right(targets, int(part.occurred[-1]), key=itemgetter(0))
        ids |= {
            visit_id
            for occurred, visit_id in targets[begin:end]
            if find_row(part, occurred, visit_id) is not None
        }
    return ids


def find_row(part: PartColumns, occurred: int, visit_id: uuid.UUID) -> int | None:
    """Return the row of the visit with a time and an id."""
    begin, end = (int(np.searchsorted(part.occurred, occurred, side)) for side in ("left", "right"))
    ids = part.ids_at(slice(begin, end))
    # Elements of an array lack the zeros at their end: numpy takes the NULs off.
    place = int(np.searchsorted(ids, np.array([visit_id.bytes], "S16")[0]))
    is_found = place < len(ids) and ids[place].ljust(16, b"\0") == visit_id.bytes
    return begin + place if is_found else None
