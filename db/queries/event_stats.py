"""Queries of the statistics of events. Days are dates in a zone; Python computes when they begin."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, FromClause, Row, cast, func, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import Event
from db.queries.events import EventFilter
from db.queries.time_groups import time_groups
from db.sql import statement


@dataclass(frozen=True, slots=True)
class Segment:
    """The events that make a user active: of a type, with one of `values` as the property `name`, or all."""

    event_type: str | None = None
    name: str | None = None
    values: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class DayUsers:
    day: date
    users: int


@dataclass(frozen=True, slots=True)
class TypeEvents:
    event_type: str
    events: int
    users: int


@dataclass(frozen=True, slots=True)
class CohortUsers:
    """Users of a cohort with events in a window, which is the `later`th after the cohort's own."""

    cohort: int
    later: int
    users: int


@dataclass(frozen=True, slots=True)
class Windows:
    """`count` windows of `days` days of `tz`, the first from `start` on; all lie in [since, until)."""

    start: date
    days: int
    count: int
    tz: str
    since: datetime
    until: datetime


async def select_first_and_last_time(session: AsyncSession) -> tuple[datetime | None, datetime | None]:
    """Return the times of the oldest and of the newest event; None if there are none."""
    row = (await session.execute(select(func.min(Event.occurred_at), func.max(Event.occurred_at)))).one()
    return row[0], row[1]


async def select_daily_active_users(
    session: AsyncSession, since: datetime, until: datetime, tz: str, segment: Segment
) -> list[DayUsers]:
    parameters = {
        "since": since,
        "until": until,
        "tz": tz,
        "event_type": segment.event_type,
        "property": segment.name,
        "values": [json.dumps(value) for value in segment.values],
    }
    rows = await session.execute(statement("events/daily_active_users"), parameters)
    return [DayUsers(*row) for row in rows]


async def select_top_events(
    session: AsyncSession, since: datetime, until: datetime, limit: int
) -> list[TypeEvents]:
    parameters = {"since": since, "until": until, "limit": limit}
    rows = await session.execute(statement("events/top_events"), parameters)
    return [TypeEvents(*row) for row in rows]


async def select_retention(session: AsyncSession, windows: Windows) -> list[CohortUsers]:
    parameters = {
        "start": windows.start,
        "days": windows.days,
        "windows": windows.count,
        "tz": windows.tz,
        "since": windows.since,
        "until": windows.until,
    }
    rows = await session.execute(statement("events/retention"), parameters)
    return [CohortUsers(*row) for row in rows]


def groupings(tz: str) -> dict[str, ColumnElement[Any]]:
    """Return the expressions that events can be grouped by, by name."""
    return {
        "type": Event.event_type.collate("C"),
        "user": Event.user_id.expression,
        **time_groups(Event.occurred_at.expression, tz),
    }


async def select_event_counts(
    session: AsyncSession,
    where: EventFilter,
    by: Sequence[str],
    tz: str,
    *,
    after: Sequence[Any] | None,
    limit: int,
    offset: int,
) -> Sequence[Row[Any]]:
    """Select rows of the groups `by`, events and users; most events first, then by group.

    :param after: events and groups of the last row of the page before
    """
    keys = [groupings(tz)[name].label(f"group_{number}") for number, name in enumerate(by)]
    # Users are counted by grouping twice: count(DISTINCT) would sort all events.
    by_user = (
        select(*keys, func.count().label("events"))
        .where(*where.conditions())
        .group_by(*(key.name for key in keys), Event.user_id)
        .subquery()
    )
    events = cast(func.sum(by_user.c.events), BigInteger).label("events")
    groups = [by_user.c[key.name] for key in keys]
    grouped = select(*groups, events, func.count().label("users")).group_by(*groups).subquery()
    order = [grouped.c[key.name] for key in keys]
    query = select(grouped).order_by(grouped.c.events.desc(), *order).limit(limit).offset(offset)
    if after is not None:
        fewer, *last = after
        following = tuple_(*order) > tuple_(*last)
        query = query.where(or_(grouped.c.events < fewer, (grouped.c.events == fewer) & following))
    rows: Sequence[Row[Any]] = (await session.execute(query)).all()
    return rows


async def select_funnel(
    session: AsyncSession, steps: Sequence[str], within: timedelta, since: datetime, until: datetime
) -> list[int]:
    """Count the users who did the first of the steps, the first two in this order, and so on.

    Each step comes after the one before, and at most `within` after the first. Column `start_n` of an event
    is the latest time of a first step from which the steps before n were done before this event. If even that
    is too long ago for step n, all earlier ones are too.
    """
    path: FromClause = (
        select(Event.user_id, Event.event_type, Event.occurred_at, Event.occurred_at.label("start_0"))
        .where(Event.event_type.in_(steps), Event.occurred_at >= since, Event.occurred_at < until)
        .subquery()
    )
    for number, step in enumerate(steps[:-1]):
        latest = func.max(path.c[f"start_{number}"]).filter(path.c.event_type == step)
        before = latest.over(partition_by=path.c.user_id, order_by=path.c.occurred_at, groups=(None, -1))
        path = select(path, before.label(f"start_{number + 1}")).subquery()
    counts = [
        func.count(path.c.user_id.distinct()).filter(
            path.c.event_type == step, path.c.occurred_at - path.c[f"start_{number}"] <= within
        )
        for number, step in enumerate(steps)
    ]
    return list((await session.execute(select(*counts))).one())
