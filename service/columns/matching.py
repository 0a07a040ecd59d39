"""Which rows of a part a filter lets through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from calendar_days import microseconds
from db.kinds import KIND_CODES
from db.part_files import NO_VISITOR, Array, PartColumns, kind_bit, values_at
from db.queries import column_reads as queries
from db.queries.column_reads import Span
from db.queries.visit_list import VisitFilter
from service.columns.agents import TRAITS, AgentTable
from service.columns.snapshot import Snapshot
from service.columns.templates import Template, parse_template

Rows = Array | slice  # of a part: a slice, or indices in order


@dataclass(frozen=True, slots=True)
class PartFilter:
    """A filter as parts understand it. None lets everything through.

    :param pages: the pages that have the URL, none perhaps
    :param template: what the URL is made of, if it is that of a template page
    :param country: a code of AddressCountries
    :param traits: what agents tell, by names of TRAITS
    :param referrer_id: of the page that visits came from; 0 if no visit did
    """

    since: int | None = None
    until: int | None = None
    user_id: int | None = None
    pages: Array | None = None
    template: Template | None = None
    country: int | None = None
    category_id: int | None = None
    kind: int | None = None
    status: int | None = None
    is_bot: bool | None = None
    traits: Mapping[str, str] = field(default_factory=dict)
    referrer_host: str | None = None
    referrer_id: int | None = None

    @property
    def takes_times_alone(self) -> bool:
        """Whether it looks at nothing but times, which are in order: no column is read."""
        return self.pages is None and self == PartFilter(self.since, self.until)


async def part_filter(snapshot: Snapshot, visit_filter: VisitFilter) -> PartFilter | None:
    """Return the filter of visits in parts; None if it lets none through."""
    if visit_filter.sources == ():
        return None
    country, page_url, kind = visit_filter.country, visit_filter.page_url, visit_filter.kind
    pages = None
    if page_url is not None:
        rows = await queries.select_page_ids(snapshot.raw, [page_url])
        pages = np.array([page_id for page_id, _ in rows], np.int32)
    return PartFilter(
        since=to_microseconds(visit_filter.since),
        until=to_microseconds(visit_filter.until),
        user_id=visit_filter.user_id,
        pages=pages,
        template=None if page_url is None else parse_template(page_url),
        country=None if country is None else snapshot.addresses.code(country),
        category_id=visit_filter.category_id,
        kind=None if kind is None else ord(KIND_CODES[kind]),
        status=visit_filter.status,
        is_bot=visit_filter.is_bot,
        traits={name: text for name in TRAITS if (text := getattr(visit_filter, name)) is not None},
        referrer_host=visit_filter.referrer_host,
        referrer_id=None if visit_filter.referrer_url is None else (visit_filter.referrer_ids or [0])[0],
    )


def to_microseconds(time: datetime | None) -> int | None:
    return None if time is None else microseconds(time)


def matching_rows(
    snapshot: Snapshot, criteria: PartFilter, span: Span, part: PartColumns, *, end: int | None = None
) -> Rows:
    """Return the rows of a part, before the row `end`, that the filter lets through."""
    begin, end = 0, len(part) if end is None else end
    if criteria.since is not None and criteria.since > span.first_at:
        begin = int(np.searchsorted(part.occurred, criteria.since))
    if criteria.until is not None and criteria.until <= span.last_at:
        end = min(end, int(np.searchsorted(part.occurred, criteria.until)))
    rows: Rows = slice(begin, max(begin, end))
    if not may_match(snapshot, criteria, part):
        return slice(begin, begin)
    if criteria.user_id is not None:
        rows = rows_of_user(criteria.user_id, part, rows)
    if criteria.pages is not None:
        rows = rows_of_url(criteria, span, part, rows)
    if criteria.category_id is not None:
        rows = narrow(
            rows, snapshot.pages.categories.take(values_at(part.page, rows)) == criteria.category_id
        )
    if criteria.kind is not None:
        rows = narrow(rows, values_at(part.kind, rows) == criteria.kind)
    if criteria.country is not None:
        rows = narrow(rows, snapshot.addresses.codes.take(values_at(part.address, rows)) == criteria.country)
    return rows_of_request(snapshot, criteria, part, rows)


def rows_of_user(user_id: int, part: PartColumns, rows: Rows) -> Rows:
    """Return the rows of a user: of live visits its own, of lines those in which it buys."""
    if len(part.ids):
        if not len(part.visitor) or user_id == NO_VISITOR:
            return slice(0, 0)
        return narrow(rows, part.visitor[rows] == user_id)
    return numbered_rows(part, (part.user_id == user_id) & (part.user_id > 0), rows)


def rows_of_request(snapshot: Snapshot, criteria: PartFilter, part: PartColumns, rows: Rows) -> Rows:
    """Return those rows whose status, agent and referrer pass the filter, in a part that may have any."""
    agents, referrers = snapshot.agents, snapshot.referrers
    if criteria.status is not None:
        rows = narrow(rows, values_at(part.status, rows) == criteria.status)
    if criteria.traits:
        rows = narrow(rows, fitting_agents(agents, criteria.traits).take(values_at(part.agent, rows)))
    if criteria.is_bot is not None and agents.is_bot[part.agents].any():
        passes = agents.is_bot == criteria.is_bot  # looking up in fewer places than comparing rows
        rows = narrow(rows, passes.take(values_at(part.agent, rows)))
    if criteria.referrer_host is not None:
        host = referrers.hosts.find(criteria.referrer_host)
        rows = narrow(rows, referrers.codes.take(values_at(part.referrer, rows)) == host)
    if criteria.referrer_id is not None:
        rows = narrow(rows, values_at(part.referrer, rows) == criteria.referrer_id)
    return rows


def may_match(snapshot: Snapshot, criteria: PartFilter, part: PartColumns) -> bool:
    """Return whether a part has what the filter asks for at all, by what is short in it."""
    if criteria.kind is not None and not part.kinds & kind_bit(criteria.kind):
        return False
    if criteria.country is not None and not snapshot.addresses.occur_in(part, criteria.country):
        return False
    if criteria.category_id is not None and not np.any(
        snapshot.pages.categories[part.pages] == criteria.category_id
    ):
        return False
    return may_match_request(snapshot, criteria, part)


def may_match_request(snapshot: Snapshot, criteria: PartFilter, part: PartColumns) -> bool:
    """Return the same of what lines say beyond the shop's fields."""
    agents, referrers = snapshot.agents, snapshot.referrers
    if criteria.status is not None and criteria.status not in part.statuses:
        return False
    if criteria.is_bot and not agents.is_bot[part.agents].any():
        return False
    if criteria.traits and not fitting_agents(agents, criteria.traits).take(part.agents).any():
        return False
    if criteria.referrer_host is not None:
        host = referrers.hosts.find(criteria.referrer_host)
        if not (referrers.codes[part.referrers] == host).any():
            return False
    return criteria.referrer_id is None or criteria.referrer_id in part.referrers


def fitting_agents(agents: AgentTable, traits: Mapping[str, str]) -> Array:
    """Return by id which agents tell all of this: a part that has each, but none of all, has no row."""
    fits = np.ones(len(agents.is_bot), np.bool_)
    for name, text in traits.items():
        fits &= agents.codes[name] == agents.texts[name].find(text)
    return fits


def rows_of_url(criteria: PartFilter, span: Span, part: PartColumns, rows: Rows) -> Rows:
    """Return those rows whose page has the filter's URL."""
    assert criteria.pages is not None
    template = criteria.template
    if template is not None and template.host == span.host:
        fits = np.ones(len(part.number_rows), np.bool_)
        for name in ("cart_id", "goods_id", "amount", "user_id"):
            fits &= getattr(part, name) == getattr(template, name)
        matches = numbered_rows(part, fits, rows)
        matches = matches[(part.page[matches] == 0) & (part.kind[matches] == template.kind)]
        if not len(criteria.pages):
            return np.asarray(matches)
        others = narrow(rows, np.isin(part.page[rows], criteria.pages))
        every: Array = np.union1d(matches, others)
        return every
    pages = [page for page in criteria.pages.tolist() if has(part.pages, page)]
    if not pages:
        return slice(0, 0)
    fits = part.page[rows] == pages[0]
    for page in pages[1:]:
        fits |= part.page[rows] == page
    return narrow(rows, fits)


def has(ordered: Array, value: int) -> bool:
    """Return whether an array that is in order has a value."""
    place = int(np.searchsorted(ordered, value))
    return place < len(ordered) and int(ordered[place]) == value


def numbered_rows(part: PartColumns, fits: Array, rows: Rows) -> Array:
    """Return those rows that have numbers which fit."""
    matches = part.number_rows[fits]
    if isinstance(rows, slice):
        return np.asarray(matches[(matches >= rows.start) & (matches < rows.stop)])
    chosen: Array = matches[np.isin(matches, rows, assume_unique=True)]
    return chosen


def narrow(rows: Rows, fits: Array) -> Array:
    """Return those of the rows that fit."""
    chosen = np.flatnonzero(fits)
    if isinstance(rows, slice):
        return chosen + rows.start if rows.start else chosen
    return rows.take(chosen)


def count_rows(rows: Rows) -> int:
    return rows.stop - rows.start if isinstance(rows, slice) else len(rows)
