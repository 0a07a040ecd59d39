"""Statistics of events in plain, slow Python, which looks at every user and every event one by one."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import combinations, pairwise
from typing import Any
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


@dataclass(frozen=True)
class OneEvent:
    user_id: int
    event_type: str
    occurred_at: datetime
    properties: dict[str, Any] = field(default_factory=dict)


def day_of(moment: datetime, tz: str) -> date:
    """Return the local day of an instant."""
    return moment.astimezone(ZoneInfo(tz)).date()


def begin_of(day: date, tz: str) -> datetime:
    """Return the instant at which a local day begins."""
    return datetime.combine(day, time(), ZoneInfo(tz)).astimezone(UTC)


def begin_of_hour(moment: datetime, tz: str) -> datetime:
    """Return when the clock's hour began: at its full hour, or when the clock was moved to a part of it."""
    second, zone = moment.replace(microsecond=0), ZoneInfo(tz)
    offset = second.astimezone(zone).utcoffset()
    while True:
        local = second.astimezone(zone)
        before = (second - timedelta(seconds=1)).astimezone(zone)
        if (local.minute, local.second) == (0, 0) or before.utcoffset() != offset:
            return second
        second -= timedelta(seconds=1)


def group_of(event: OneEvent, name: str, tz: str) -> Any:
    """Return the value by which `group_by=name` groups an event."""
    day = day_of(event.occurred_at, tz)
    match name:
        case "type":
            return event.event_type
        case "user":
            return event.user_id
        case "hour":
            return begin_of_hour(event.occurred_at, tz)
        case "day":
            return begin_of(day, tz)
        case "week":
            return begin_of(day - day.weekday() * DAY, tz)
        case _:
            return begin_of(day.replace(day=1), tz)


def between(events: Iterable[OneEvent], since: datetime | None, until: datetime | None) -> list[OneEvent]:
    return [
        event
        for event in events
        if (since is None or event.occurred_at >= since) and (until is None or event.occurred_at < until)
    ]


def counts(events: Iterable[OneEvent], by: Sequence[str], tz: str) -> list[tuple[Any, ...]]:
    """Count events by the groups `by`. Rows are (group, ..., events, users), most events first."""
    users = defaultdict(list)
    for event in events:
        users[tuple(group_of(event, name, tz) for name in by)].append(event.user_id)
    rows = [(*group, len(of), len(set(of))) for group, of in users.items()]
    return sorted(rows, key=lambda row: (-row[-2], row[:-2]))


def active_users(
    events: Sequence[OneEvent],
    since: datetime | None,
    until: datetime | None,
    tz: str,
    is_counted: Callable[[OneEvent], bool],
) -> list[tuple[datetime, int]]:
    """Count the users of each day, also of days without any. Rows are (begin of the day, users)."""
    if not events:
        return []
    since = since or min(event.occurred_at for event in events)
    until = until or max(event.occurred_at for event in events) + timedelta(microseconds=1)
    users = defaultdict(set)
    for event in between(events, since, until):
        if is_counted(event):
            users[day_of(event.occurred_at, tz)].add(event.user_id)
    # The days of all minutes: no day that the zone skipped is among them. Every other day is, even one after
    # whose first minute the clocks go back.
    steps = int((until - since) / timedelta(minutes=1)) + 1 if since < until else 0
    moments = [since + number * timedelta(minutes=1) for number in range(steps)]
    days = {day_of(moment, tz) for moment in moments if moment < until} | set(users)
    if since < until:
        days.add(day_of(until - timedelta(microseconds=1), tz))
    return [(begin_of(day, tz), len(users[day])) for day in sorted(days)]


def top(events: Iterable[OneEvent]) -> list[tuple[str, int, int]]:
    """Count events by type. Rows are (event type, events, users), most events first."""
    events = list(events)
    counts = Counter(event.event_type for event in events)
    rows = [
        (name, count, len({event.user_id for event in events if event.event_type == name}))
        for name, count in counts.items()
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def retention(
    events: Sequence[OneEvent], start: date | datetime, windows: int, days: int, tz: str
) -> list[tuple[datetime, int, list[int]]]:
    """Count returning users. Rows are (begin of a cohort's window, its users, those active in each one).

    From a time on, each window begins when the clock says the same.
    """
    zone, clock, instant = ZoneInfo(tz), time(), begin_of(start, tz)
    if isinstance(start, datetime):
        clock, instant = start.astimezone(zone).time(), start
    start = day_of(start, tz) if isinstance(start, datetime) else start
    since_midnight = datetime.combine(start, clock) - datetime.combine(start, time())

    def window(moment: datetime) -> int:
        local = moment.astimezone(zone).replace(tzinfo=None)
        return ((local - since_midnight).date() - start).days // days

    def begin(number: int) -> datetime:
        return datetime.combine(start + number * days * DAY, clock, zone).astimezone(UTC)

    active = defaultdict(set)
    first: dict[int, datetime] = {}
    for event in sorted(events, key=lambda event: event.occurred_at):
        first.setdefault(event.user_id, event.occurred_at)
        active[window(event.occurred_at)].add(event.user_id)
    rows = []
    for cohort in range(windows):
        users = {user for user, moment in first.items() if window(moment) == cohort and moment >= instant}
        retained = [len(users & active[later]) for later in range(cohort, windows)]
        rows.append((begin(cohort) if cohort else instant, len(users), retained))
    return rows


def funnel(events: Iterable[OneEvent], steps: Sequence[str], within: timedelta) -> list[int]:
    """Count the users who did each step in order. Every combination of a user's events is tried."""
    by_user = defaultdict(list)
    for event in sorted(events, key=lambda event: event.occurred_at):
        by_user[event.user_id].append(event)

    def did(own: list[OneEvent], count: int) -> bool:
        return any(
            [event.event_type for event in combination] == list(steps[:count])
            and all(a.occurred_at < b.occurred_at for a, b in pairwise(combination))
            and combination[-1].occurred_at - combination[0].occurred_at <= within
            for combination in combinations(own, count)
        )

    return [sum(did(own, count) for own in by_user.values()) for count in range(1, len(steps) + 1)]
