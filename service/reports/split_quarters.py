"""Views of quarter hours within which a clock changes or its hours begin: no roll-up tells their hour."""

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

import numpy as np

from calendar_days import ClockSpan, instant, microseconds, split_quarters
from db.database import Database, Raw
from db.kinds import KIND_CODES
from db.part_files import Array
from db.queries.column_reads import Span
from db.queries.live_columns import select_live_columns
from db.queries.names import select_category_id
from db.queries.reports import Scope
from db.queries.visit_list import VisitFilter
from db.read_threads import Waiting, run_while_awaited
from service.columns.matching import PartFilter, matching_rows
from service.columns.snapshot import Parts, Snapshot, make_snapshot
from service.columns.store import ColumnStore

SECOND = 1_000_000  # microseconds
HOUR = 3600
Ranges = Sequence[tuple[int, int]]  # of microseconds since 1970


async def count_views(
    db: Database,
    raw: Raw,
    store: ColumnStore,
    scope: Scope,
    clock: Sequence[ClockSpan],
    *,
    unit: str,
    category: str | None = None,
    kinds: Sequence[str] | None = None,
) -> Counter[int]:
    """Count the views that are in none of a clock's whole quarter hours by hour.

    :param unit: of UNITS
    :param category: whose pages of these kinds are counted; None for all pages
    """
    since, until = microseconds(scope.since), microseconds(scope.until)
    split = [(begin * SECOND, end * SECOND) for begin, end in split_quarters(clock)]
    ranges = [(max(begin, since), min(end, until)) for begin, end in split if begin < until and end > since]
    category_id = None if category is None else await select_category_id(raw, category)
    if not ranges or (category is not None and category_id is None):
        return Counter()
    snapshot = await make_snapshot(db, raw, store)
    times = await list_view_times(snapshot, scope, ranges, category_id, kinds)
    return Counter(UNITS[unit](times // SECOND, clock).tolist())


async def list_view_times(
    snapshot: Snapshot, scope: Scope, ranges: Ranges, category_id: int | None, kinds: Sequence[str] | None
) -> Array:
    """Return the times of the views within ranges, in microseconds since 1970."""
    codes = [None] if kinds is None else [ord(KIND_CODES[kind]) for kind in kinds]
    filters = [
        PartFilter(since=begin, until=end, category_id=category_id, kind=code, is_bot=scope.is_bot)
        for (begin, end), code in product(ranges, codes)
    ]
    since, until = (instant(time) for time in (ranges[0][0], ranges[-1][1]))
    spans = [
        span
        for span in await snapshot.spans(since, until, scope.sources)
        if any(overlaps(span, begin, end) for begin, end in ranges)
    ]
    times = [
        await run_while_awaited(partial(times_of, snapshot, filters, parts))
        async for parts in snapshot.batches(spans)
    ]
    if scope.is_live is not False:
        visit_filter = VisitFilter(since, until, category_id=category_id, is_bot=scope.is_bot)
        live = await select_live_columns(snapshot.raw, visit_filter, ["kind"], snapshot.addresses.ids)
        counts = np.array([kinds is None or kind in kinds for kind in live.kinds], np.bool_)
        times.append(within(live.occurred[counts], ranges))
    return np.concatenate(times or [np.empty(0, np.int64)])


def times_of(snapshot: Snapshot, filters: Sequence[PartFilter], parts: Parts, waiting: Waiting) -> Array:
    """Return the times of the visits in parts that one of the filters lets through."""
    times = [np.empty(0, np.int64)]
    for span, part in parts:
        waiting.check()
        times += [
            part.occurred[matching_rows(snapshot, each, span, part)]
            for each in filters
            if overlaps(span, each.since, each.until)
        ]
    return np.concatenate(times)


def overlaps(span: Span, begin: int | None, end: int | None) -> bool:
    assert begin is not None
    assert end is not None
    return span.first_at < end and span.last_at >= begin


def within(times: Array, ranges: Ranges) -> Array:
    """Return those of the times that lie within ranges, which are in order."""
    begins, ends = np.array(ranges, np.int64).T
    places = np.searchsorted(begins, times, "right") - 1
    chosen: Array = times[(places >= 0) & (times < ends[places])]
    return chosen


def hours_of_day(seconds: Array, clock: Sequence[ClockSpan]) -> Array:
    """Return the hours, 0 to 23, that a clock shows at times in seconds since 1970."""
    return np.asarray(local_times(seconds, clock)[0] // HOUR % 24)


def clock_hours(seconds: Array, clock: Sequence[ClockSpan]) -> Array:
    """Return when the hours of a clock begin that hold times, all in seconds since 1970."""
    local, begins = local_times(seconds, clock)
    return np.asarray(np.maximum(seconds - local % HOUR, begins))


def local_times(seconds: Array, clock: Sequence[ClockSpan]) -> tuple[Array, Array]:
    """Return what a clock shows at times, as seconds, and since when it has gone as it goes then."""
    begins = np.array([span.begin for span in clock], np.int64)
    ahead = np.array([span.ahead for span in clock], np.int64)
    places = np.searchsorted(begins, seconds, "right") - 1
    return seconds + ahead[places], begins[places]


UNITS: dict[str, Callable[[Array, Sequence[ClockSpan]], Array]] = {
    "hour of the day": hours_of_day,
    "clock hour": clock_hours,
}
