"""How many visits there are in each group, and of how many visitors; perhaps beside the period before."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import numpy as np

from calendar_days import MICROSECOND, instant, microseconds, period_before
from db.kinds import KIND_CODES
from db.queries import column_reads
from db.queries.column_reads import Span
from db.queries.live_columns import LiveColumns, select_live_columns
from db.queries.visit_list import VisitFilter
from db.read_threads import Waiting, run_while_awaited
from service.columns.agents import TRAITS
from service.columns.blocks import LiveBlock
from service.columns.cached_counts import count_key_of
from service.columns.candidates import CountRow
from service.columns.comparison import count_shown
from service.columns.groups import Groups, PageGroups, StatusGroups, TimeGroups, UserGroups
from service.columns.matching import PartFilter, part_filter
from service.columns.snapshot import Snapshot
from service.columns.statistics import Statistics
from service.columns.table_groups import (
    AgentGroups,
    CategoryGroups,
    CountryGroups,
    KindGroups,
    ReferrerGroups,
)
from service.columns.templates import Template, parse_templates
from time_slices import DAY, time_slices

UNITS = ("hour", "day", "week", "month")
LONGEST_GROUP = 33 * DAY  # a month, and the clocks of all zones
Count = tuple[CountRow, tuple[int, int]]  # a group; its visits and visitors in the period before, or 0
NO_VISITS: Count = (CountRow((), 0, 0, None, None), (0, 0))


@dataclass(frozen=True, slots=True)
class Selection:
    """The visits that a filter lets through.

    :param shift: microseconds by which their times are later where visits are grouped by time
    """

    criteria: PartFilter | None
    spans: Sequence[Span]
    live: LiveColumns | None
    shift: int = 0

    def instants(self) -> list[int]:
        """Return instants of which the first and the last bound all times, shifted."""
        instants = [instant for span in self.spans for instant in (span.first_at, span.last_at)]
        if self.live is not None and len(self.live):
            instants += [int(self.live.occurred[0]), int(self.live.occurred[-1])]
        return [instant + self.shift for instant in instants]


async def list_counts(
    snapshot: Snapshot,
    visit_filter: VisitFilter,
    group_by: Sequence[str],
    tz: str,
    *,
    limit: int,
    offset: int,
    compare: bool = False,
) -> list[Count]:
    """Return a row for each group, most visits first, then by group, nulls last.

    :param compare: count the same groups in the equally long period before, too; the filter has both bounds
    """
    selections = [await make_selection(snapshot, visit_filter, group_by)]
    if compare:
        before, shift = previous_period(visit_filter)
        if any(name in UNITS for name in group_by):
            before = narrow(before, [instant - shift for instant in selections[0].instants()])
        selections.append(replace(await make_selection(snapshot, before, group_by), shift=shift))
    if "page" in group_by or compare:
        for selection in selections:  # knows all pages and addresses from now on
            async for _ in snapshot.batches(selection.spans):
                pass
    bounds = (visit_filter.since, visit_filter.until) if compare else (None, None)
    groups = await make_groups(snapshot, group_by, tz, period(selections, *bounds))
    pages = next((each for each in groups if isinstance(each, PageGroups)), None)
    urls = None if pages is None else await number_urls(snapshot, pages, selections)
    statistics = [
        Statistics(
            snapshot,
            selection.criteria,
            selection.spans,
            live_block(snapshot, selection.live, urls),
            [shift_groups(each, selection.shift) for each in groups],
            None if selection.shift else count_key_of(snapshot, selection.criteria, group_by, tz, groups),
        )
        for selection in selections
    ]
    shown = await statistics[0].shown(limit=limit, offset=offset)
    rows = await statistics[0].details(shown)
    if not compare:
        return [(row, (0, 0)) for row in rows]
    return list(zip(rows, await count_shown(statistics[1], shown), strict=True))


async def make_selection(snapshot: Snapshot, visit_filter: VisitFilter, group_by: Sequence[str]) -> Selection:
    """Choose the parts that a filter may let through, and read the live visits that it does."""
    criteria = await part_filter(snapshot, visit_filter)
    spans = [] if criteria is None else await snapshot.spans_of(visit_filter)
    live = None
    if visit_filter.lets_live_through:
        names = {"agent" if name in TRAITS else name for name in group_by}
        live = await select_live_columns(snapshot.raw, visit_filter, names, snapshot.addresses.ids)
        await snapshot.load_live_names(live)
    return Selection(criteria, spans, live)


def previous_period(visit_filter: VisitFilter) -> tuple[VisitFilter, int]:
    """Return the filter of the equally long period before, and how long it is in microseconds."""
    since, until = visit_filter.since, visit_filter.until
    assert since is not None
    assert until is not None
    begin, end = period_before(since, until)
    return replace(visit_filter, since=begin, until=end), (until - since) // MICROSECOND


def narrow(visit_filter: VisitFilter, instants: Sequence[int]) -> VisitFilter:
    """Leave out visits that lie in no hour, day, week or month from the first to the last of some instants.

    Else the hours between the period's own visits and those of the period before would count too: of
    centuries they are millions.
    """
    since, until = visit_filter.since, visit_filter.until
    assert since is not None
    assert until is not None
    nothing = replace(visit_filter, until=since)
    if not instants:
        return nothing
    first = max(microseconds(since), min(instants) - LONGEST_GROUP)
    last = min(microseconds(until), max(instants) + LONGEST_GROUP)
    if first >= last:
        return nothing
    return replace(visit_filter, since=instant(first), until=instant(last))


def period(
    selections: Sequence[Selection], since: datetime | None, until: datetime | None
) -> tuple[int, int]:
    """Return the first and the last instant that there may be, within bounds."""
    instants = [instant for selection in selections for instant in selection.instants()]
    if since is not None and until is not None:
        first, last = microseconds(since), max(microseconds(since), microseconds(until) - 1)
        instants = [min(max(instant, first), last) for instant in instants]
    return (min(instants), max(instants)) if instants else (0, 0)


async def make_groups(
    snapshot: Snapshot, group_by: Sequence[str], tz: str, instants: tuple[int, int]
) -> list[Groups]:
    """Return what visits are grouped by."""
    groups: list[Groups] = []
    for name in group_by:
        if name in UNITS:
            groups.append(TimeGroups(time_slices(name, tz, *instants)))
        elif name == "page":
            groups.append(PageGroups(snapshot, await column_reads.select_newest_page(snapshot.raw)))
        elif name == "user":
            groups.append(UserGroups(snapshot))
        elif name == "country":
            groups.append(CountryGroups(snapshot))
        elif name == "category":
            newest = await column_reads.select_newest_category(snapshot.raw)
            groups.append(CategoryGroups(snapshot, newest + 1))
        elif name == "referrer":
            groups.append(ReferrerGroups(snapshot))
        elif name == "status":
            groups.append(StatusGroups())
        elif name == "kind":
            groups.append(KindGroups())
        else:
            groups.append(AgentGroups(snapshot, name))
    return groups


def shift_groups(groups: Groups, shift: int) -> Groups:
    """Return groups of time for visits that are earlier by a shift; others as they are."""
    return groups.earlier(shift) if shift and isinstance(groups, TimeGroups) else groups


@dataclass(frozen=True, slots=True)
class LiveUrls:
    """The URLs of live visits: what those of template pages are made of, and the numbers of the others."""

    templates: Mapping[str, Template]
    numbers: Mapping[str, int]


async def number_urls(snapshot: Snapshot, pages: PageGroups, selections: Sequence[Selection]) -> LiveUrls:
    """Parse the URLs of all live visits, and number those that are not template pages'."""
    urls = {url for selection in selections if selection.live is not None for url in selection.live.urls}
    templates = await run_while_awaited(partial(parse_urls, urls))
    return LiveUrls(templates, await pages.number_urls(snapshot, sorted(urls - templates.keys())))


def parse_urls(urls: Collection[str], waiting: Waiting) -> dict[str, Template]:
    waiting.check()
    return parse_templates(urls)


def live_block(snapshot: Snapshot, live: LiveColumns | None, urls: LiveUrls | None) -> LiveBlock | None:
    """Return live visits as a block, if there are any.

    :param urls: if visits are grouped by page
    """
    if live is None or not len(live):
        return None
    codes = {country: snapshot.addresses.code(country) for country in set(live.countries)}
    page, templates = np.empty(0, np.int64), {}
    if urls is not None:
        page = np.array([urls.numbers.get(url, 0) for url in live.urls], np.int64)
        templates = {row: urls.templates[url] for row, url in enumerate(live.urls) if url in urls.templates}
    return LiveBlock(
        live,
        country=np.array([codes[country] for country in live.countries], np.int64),
        kind=np.array([ord(KIND_CODES[kind]) for kind in live.kinds], np.int64),
        page=page,
        templates=templates,
    )
