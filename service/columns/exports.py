"""All visits of a snapshot that a filter lets through, newest first, as columns, some at a time."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from functools import partial
from typing import Any

from db.part_files import PartColumns
from db.queries.column_reads import Span
from db.read_threads import Waiting, run_while_awaited
from service.columns.export_windows import VisitColumns, load_window_names, window_columns
from service.columns.matching import PartFilter, Rows, count_rows, matching_rows
from service.columns.open_parts import BEFORE_ALL, LiveRows, OpenPart
from service.columns.snapshot import Snapshot

WINDOW = 8192  # visits at a time, but for those of one instant, which stay together


async def export_columns(
    snapshot: Snapshot,
    criteria: PartFilter | None,
    spans: Sequence[Span],
    live_batches: AsyncIterator[Sequence[Any]] | None,
) -> AsyncGenerator[VisitColumns]:
    """Yield visits of parts and live ones, in windows of time from the newest to the oldest."""
    live, opened, waiting = LiveRows(live_batches), list[OpenPart](), list(spans)
    while True:
        newest_live = await live.newest()
        newest = max([newest_live, *(part.instant(part.end - 1) for part in opened)])
        while waiting and waiting[0].last_at >= newest:
            assert criteria is not None
            span = waiting.pop(0)
            [(_, part)] = await snapshot.read([span])
            rows = await run_while_awaited(partial(match, snapshot, criteria, span, part))
            if count_rows(rows):
                opened.append(OpenPart(span, part, rows, count_rows(rows)))
                newest = max(newest, opened[-1].instant(opened[-1].end - 1))
        if newest == BEFORE_ALL:
            return
        border = window_border(opened, newest, waiting[0].last_at if waiting else BEFORE_ALL)
        live_rows, border = await live.take_after(border, WINDOW)
        part_rows = [
            (part, part.take(begin)) for part in opened if (begin := part.begin_after(border)) < part.end
        ]
        names = await load_window_names(snapshot, part_rows)
        opened = [part for part in opened if part.end]
        yield await run_while_awaited(partial(window_columns, snapshot, names, part_rows, live_rows))


def match(snapshot: Snapshot, criteria: PartFilter, span: Span, part: PartColumns, _: Waiting) -> Rows:
    return matching_rows(snapshot, criteria, span, part)


def window_border(opened: Sequence[OpenPart], newest: int, next_part: int) -> int:
    """Return an instant: what is later than it is shown next. No part that is not open has any of it."""
    share = max(1, WINDOW // max(1, len(opened)))
    borders = [part.instant(part.end - share - 1) for part in opened if part.end > share]
    return min(newest - 1, max([next_part, *borders, BEFORE_ALL]))
