"""A list of visits of both kinds, log lines and live ones, newest first."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from db.part_files import Array
from db.queries.column_reads import microseconds
from db.queries.live_visits import select_live_rows
from db.queries.visit_list import VisitFilter, select_live_list
from service.columns.lists import Lines, newest_lines, show_lines
from service.columns.matching import part_filter
from service.columns.snapshot import Snapshot

Cursor = tuple[datetime, uuid.UUID]
Row = Sequence[Any]  # the values of a Visit
FEW = 1000  # rows that are selected whole, though some before the offset are not shown


async def select_merged(
    snapshot: Snapshot, visit_filter: VisitFilter, *, after: Cursor | None, limit: int, offset: int
) -> list[Row]:
    """Return the values of visits after the cursor and `offset` more, newest first."""
    criteria = await part_filter(snapshot, visit_filter)
    spans = [] if criteria is None else await snapshot.spans_of(visit_filter)
    if criteria is None or not spans:
        if not visit_filter.lets_live_through:
            return []
        live = await select_live_list(snapshot.raw, visit_filter, after=after, limit=limit, offset=offset)
        return [tuple(row) for row in live]
    need = offset + limit
    lines = await newest_lines(snapshot, criteria, after=after, limit=need, spans=spans)
    live = []
    if visit_filter.lets_live_through:
        live = await select_live_list(snapshot.raw, visit_filter, after=after, limit=need, keys=need > FEW)
    order = merged_order(lines, live)[offset:need].tolist()
    line_places = [place for place in order if place < len(lines)]
    shown: dict[int, Row] = dict(
        zip(line_places, await show_lines(snapshot, lines, line_places), strict=True)
    )
    live_places = [place for place in order if place >= len(lines)]
    rows = [live[place - len(lines)] for place in live_places]
    if need > FEW:
        by_id = await live_rows(snapshot, [row["request_id"] for row in rows])
        rows = [by_id[row["request_id"]] for row in rows]
    shown |= zip(live_places, rows, strict=True)
    return [shown[place] for place in order]


async def live_rows(snapshot: Snapshot, ids: Sequence[str]) -> Mapping[str, Row]:
    rows = await select_live_rows(snapshot.raw, ids)
    return {row["request_id"]: tuple(row) for row in rows}


def merged_order(lines: Lines, live: Sequence[Any]) -> Array:
    """Return the places of lines, then live visits, newest first by (time, id)."""
    if not live:
        return np.arange(len(lines))
    occurred = np.array([microseconds(row["occurred_at"]) for row in live], np.int64)
    ids = np.frombuffer(b"".join(uuid.UUID(row["request_id"]).bytes for row in live), ">u8").reshape(-1, 2)
    words = np.concatenate([lines.ids().view(">u8").reshape(-1, 2), ids])
    return np.lexsort((words[:, 1], words[:, 0], np.concatenate([lines.occurred, occurred])))[::-1]
