"""Filters and statistics of visits in plain, slow Python, and what an export says of each."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from db.database import Database
from db.queries.live_visits import Visit
from service.columns.store import ColumnStore
from service.visits.exports import export_visits
from service.visits.queries import VisitCount
from tests.support.visit_cases import LiveSaid, Row

GROUPS: dict[str, tuple[str, Callable[[Row], Any]]] = {
    "page": ("page_url", lambda visit: visit.page_url),
    "user": ("user_id", lambda visit: visit.user_id),
    "country": ("country", lambda visit: visit.country),
    "category": ("category", lambda visit: visit.category),
    "kind": ("kind", lambda visit: visit.kind),
    "referrer": ("referrer", lambda visit: visit.said.host),
    "browser": ("browser", lambda visit: visit.said.browser),
    "os": ("os", lambda visit: visit.said.os),
    "device": ("device", lambda visit: visit.said.device),
    "status": ("status", lambda visit: visit.said.status),
}
UNITS = ("hour", "day", "week", "month")


def begin_of(unit: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """Step back by quarters while the local clock still shows the same hour, day, week or month.

    An hour goes back as far as the clock does not jump.
    """
    if unit == "hour":
        begin = moment.replace(second=0, microsecond=0)
        while begin.astimezone(zone).minute:
            before = begin - timedelta(minutes=1)
            clocks = [each.astimezone(zone).replace(tzinfo=None) for each in (begin, before)]
            if clocks[0] - clocks[1] != timedelta(minutes=1):
                break
            begin = before
        return begin

    def label(instant: datetime) -> object:
        local = instant.astimezone(zone)
        return {
            "day": local.date(),
            "week": local.isocalendar()[:2],
            "month": (local.year, local.month),
        }[unit]

    begin = moment.replace(minute=moment.minute // 15 * 15, second=0, microsecond=0)
    while label(begin - timedelta(minutes=15)) == label(moment):
        begin -= timedelta(minutes=15)
    return begin


def passes(visit: Row, criteria: dict[str, Any]) -> bool:
    values = {"user_id": visit.user_id, "page_url": visit.page_url, "source": visit.source}
    values |= {"country": visit.country, "category": visit.category, "kind": visit.kind}
    said, referrer = visit.said, criteria["referrer"]
    values |= {name: getattr(said, name) for name in ("browser", "os", "device", "status")}
    return (
        all(criteria[name] in (None, value) for name, value in values.items())
        and criteria["traffic"] in ("all", said.traffic)
        and (referrer is None or referrer == said.referrer or referrer.lower() == said.host)
        and (criteria["since"] is None or visit.occurred_at >= criteria["since"])
        and (criteria["until"] is None or visit.occurred_at < criteria["until"])
    )


def expected_counts(visits: Iterable[Row], group_by: tuple[str, ...], tz: str) -> list[dict[str, Any]]:
    zone, groups = ZoneInfo(tz), dict[tuple[Any, ...], list[Row]]()
    for visit in visits:
        key = tuple(
            begin_of(name, visit.occurred_at, zone) if name in UNITS else GROUPS[name][1](visit)
            for name in group_by
        )
        groups.setdefault(key, []).append(visit)
    rows = sorted(
        groups.items(), key=lambda item: (-len(item[1]), *((part is None, part or 0) for part in item[0]))
    )
    if not group_by and not rows:
        rows = [((), [])]
    return [
        {
            "group": {GROUPS.get(name, (name,))[0]: part for name, part in zip(group_by, key, strict=True)},
            "visits": len(members),
            "visitors": len({visit.address for visit in members} - {None}),
            "first": min((visit.occurred_at for visit in members), default=None),
            "last": max((visit.occurred_at for visit in members), default=None),
        }
        for key, members in rows
    ]


def moved(visit: Row, length: timedelta) -> Row:
    """The same visit, so much later."""
    if isinstance(visit, LiveSaid):
        return LiveSaid(replace(visit.row, occurred_at=visit.row.occurred_at + length), visit.said)
    return replace(visit, occurred_at=visit.occurred_at + length)


def expected_previous(
    rows: Iterable[Row], criteria: dict[str, Any], group_by: tuple[str, ...], tz: str
) -> Callable[[dict[str, Any]], tuple[int, int]]:
    """Tell of a group the visits and visitors of the period before, each visit moved into the period."""
    length = criteria["until"] - criteria["since"]
    before = criteria | {"since": criteria["since"] - length, "until": criteria["since"]}
    visits = [moved(visit, length) for visit in rows if passes(visit, before)]
    counts = {
        tuple(count["group"].items()): (count["visits"], count["visitors"])
        for count in expected_counts(visits, group_by, tz)
    }
    return lambda group: counts.get(tuple(group.items()), (0, 0))


def values_of(count: VisitCount) -> dict[str, Any]:
    return {name: getattr(count, name) for name in ("group", "visits", "visitors", "first", "last")}


groupings = st.lists(st.sampled_from((*GROUPS, *UNITS)), max_size=2, unique=True).map(tuple)


async def exported(db: Database, store: ColumnStore, **criteria: Any) -> list[tuple[Any, ...]]:
    """The ids of an export, and what its visits say beyond the shop's fields."""
    return [
        (
            str(uuid.UUID(int=int(high) << 64 | int(low))),
            *columns.requests[request],
            None if size < 0 else size,
            columns.referrers[referrer],
            *columns.agents[agent],
        )
        async for columns in export_visits(db, store, **criteria)
        for (high, low), request, size, referrer, agent in zip(
            columns.ids, columns.request, columns.bytes, columns.referrer, columns.agent, strict=True
        )
    ]


def as_exported(visit: Visit) -> tuple[Any, ...]:
    said = (visit.referrer, visit.browser, visit.os, visit.device, visit.traffic)
    return (visit.id, visit.method, visit.status, visit.bytes, *said)
