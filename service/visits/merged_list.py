"""A list of visits of both kinds, log lines and live ones, newest first."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from calendar_days import instant, microseconds
from db.part_files import Array
from db.queries.live_columns import select_live_keys
from db.queries.live_visits import select_live_rows
from db.queries.visit_list import VisitFilter, select_live_list
from db.visit_ids import id_texts, ids_of_texts
from service.columns.lists import Lines, newest_lines, show_lines
from service.columns.matching import part_filter
from service.columns.snapshot import Snapshot

Cursor = tuple[datetime, uuid.UUID]
Row = Sequence[Any]  # the values of a Visit
SOME = 256  # rows that are sorted by Python
FEW = 1000  # rows that are selected whole, though some before the offset are not shown


async def list_merged(
    snapshot: Snapshot, visit_filter: VisitFilter, *, after: Cursor | None, limit: int, offset: int
) -> list[Row]:
    """Return the values of visits after the cursor and `offset` more, newest first."""
    criteria = await part_filter(snapshot, visit_filter)
    spans = [] if criteria is None else await snapshot.spans_of(visit_filter)
    if criteria is None or not spans:
        if not visit_filter.lets_live_through:
            return []
        rows = await select_live_list(snapshot.raw, visit_filter, after=after, limit=limit, offset=offset)
        return [tuple(row) for row in rows]
    need = offset + limit
    lines = await newest_lines(snapshot, criteria, after=after, limit=need, spans=spans)
    if (oldest := oldest_needed(lines, need)) is not None:
        visit_filter = replace(visit_filter, since=max(oldest, visit_filter.since or oldest))
    live = await list_live(snapshot, visit_filter, after=after, limit=need)
    return await show_merged(snapshot, lines, live, offset, need)


def oldest_needed(lines: Lines, need: int) -> datetime | None:
    """Return a time before which no live visit is among the first `need`; None if the lines are fewer."""
    return instant(int(np.partition(lines.occurred, -need)[-need])) if len(lines) >= need else None


async def show_merged(snapshot: Snapshot, lines: Lines, live: "Live", begin: int, end: int) -> list[Row]:
    """Return what is shown of lines and live visits that are at [begin, end) of both together."""
    order = merged_order(lines, live, begin, end)
    count = len(lines)
    line_places = [place for place in order if place < count]
    shown: dict[int, Row] = dict(
        zip(line_places, await show_lines(snapshot, lines, line_places), strict=True)
    )
    live_places = [place for place in order if place >= count]
    live_rows = await live.rows(snapshot, [place - count for place in live_places])
    shown |= zip(live_places, live_rows, strict=True)
    return [shown[place] for place in order]


@dataclass(frozen=True, slots=True)
class Live:
    """Live visits, newest first: their times and ids, and perhaps all that is shown."""

    occurred: Array
    ids: Array
    values: Sequence[Row] | None

    async def rows(self, snapshot: Snapshot, places: Sequence[int]) -> list[Row]:
        """Return what is shown of some of them."""
        if self.values is not None:
            return [self.values[place] for place in places]
        ids = id_texts(self.ids[np.array(places, np.int64)])
        by_id = {row["request_id"]: tuple(row) for row in await select_live_rows(snapshot.raw, ids)}
        return [by_id[each] for each in ids]


NO_LIVE = Live(np.empty(0, np.int64), np.empty(0, "S16"), ())


async def list_live(
    snapshot: Snapshot, visit_filter: VisitFilter, *, after: Cursor | None, limit: int
) -> Live:
    """Return the first live visits after the cursor."""
    if not visit_filter.lets_live_through:
        return NO_LIVE
    if limit > FEW:
        return Live(*await select_live_keys(snapshot.raw, visit_filter, after=after, limit=limit), None)
    rows = await select_live_list(snapshot.raw, visit_filter, after=after, limit=limit)
    return live_of([tuple(row) for row in rows])


def live_of(rows: Sequence[Row]) -> Live:
    """Return live visits of the values that are shown of them, which begin with id and time."""
    occurred = np.array([microseconds(row[1]) for row in rows], np.int64)
    return Live(occurred, ids_of_texts([row[0] for row in rows]), rows)


def merged_order(lines: Lines, live: Live, begin: int, end: int) -> list[int]:
    """Return the places of lines, then live visits, that are at [begin, end), newest first by (time, id)."""
    if len(lines) + len(live.occurred) <= SOME:
        return order_of_some(lines, live)[begin:end]
    occurred = np.concatenate([lines.occurred, live.occurred])
    end = min(end, len(occurred))
    if begin >= end:
        return []
    # Only those are sorted whose times lie between that of the first place and that of the last.
    first, last = len(occurred) - 1 - begin, len(occurred) - end
    ordered = np.partition(occurred, [last, first])
    window = np.flatnonzero((occurred >= ordered[last]) & (occurred <= ordered[first]))
    later = int(np.count_nonzero(occurred > ordered[first]))
    split = int(np.searchsorted(window, len(lines)))
    ids = np.concatenate([lines.ids(window[:split]), live.ids[window[split:] - len(lines)]])
    high, low = ids.view(">u8").reshape(-1, 2).T
    order = np.lexsort((low, high, occurred[window]))[::-1]
    places: list[int] = window[order[begin - later : end - later]].tolist()
    return places


def order_of_some(lines: Lines, live: Live) -> list[int]:
    """Return all places in this order. Of a page, Python sorts them in a fourth of the time."""
    times = [*lines.occurred.tolist(), *live.occurred.tolist()]
    keys: Sequence[Any] = times
    if len(set(times)) < len(times):  # those of one time are in the order of their ids
        keys = list(zip(times, [*lines.ids().tolist(), *live.ids.tolist()], strict=True))
    return sorted(range(len(times)), key=keys.__getitem__, reverse=True)
