"""Statistics of events, held to the oracle around the moments at which clocks change."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from db.database import Database
from db.event_store import EventStore
from db.models import Event, EventBatch, EventPart
from service.errors import Invalid
from service.events import stats
from service.events.merging import MergeLimits, merge_once
from service.events.stats import Segment
from tests.support import event_oracle as oracle
from tests.support.event_oracle import OneEvent
from tests.support.examples import examples
from tests.support.stored_events import store_events

# Zones, and a moment at which their clocks change.
CHANGES = {
    "UTC": "2024-02-29T00:00:00",
    "Europe/Berlin": "2024-10-27T01:00:00",  # an hour twice
    "Europe/London": "2024-03-31T01:00:00",  # an hour left out
    "America/Havana": "2023-11-05T05:00:00",  # midnight twice
    "America/Sao_Paulo": "2018-11-04T03:00:00",  # no midnight
    "America/St_Johns": "2010-11-07T02:31:00",  # back over midnight
    "Australia/Lord_Howe": "2024-04-06T15:00:00",  # by half an hour
    "Pacific/Apia": "2011-12-30T10:00:00",  # a day left out
    "Asia/Kathmandu": "2024-01-01T18:15:00",  # a quarter past
}
TYPES = ("view", "cart", "pay", "Übergabe")
SETTINGS = settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def cases(draw: st.DrawFn) -> tuple[str, datetime, list[OneEvent]]:
    """A zone, a moment and events around it; some at the same instant."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    change = datetime.fromisoformat(CHANGES[zone]).replace(tzinfo=UTC)
    minutes = st.sampled_from(
        (-4000, -2900, -1500, -120, -61, -31, -30, -1, 0, 1, 29, 30, 59, 90, 1441, 4320)
    )
    moments = st.builds(
        lambda minute, micro: change + timedelta(minutes=minute, microseconds=micro),
        minutes,
        st.sampled_from((0, 0, -1, 1)),
    )
    properties = st.sampled_from(({}, {"plan": "pro"}, {"plan": 5}, {"plan": "5"}, {"plan": [5, 6]}))
    events = st.builds(OneEvent, st.integers(-1, 3), st.sampled_from(TYPES), moments, properties)
    return zone, change, draw(st.lists(events, max_size=14))


@st.composite
def periods(draw: st.DrawFn) -> tuple[int | None, int | None]:
    """Minutes from the change."""
    ends = st.none() | st.sampled_from((-3000, -60, 0, 30, 1500))
    since, until = draw(ends), draw(ends)
    return (until, since) if since is not None and until is not None and since > until else (since, until)


STORE = EventStore()


async def store(db: Database, events: list[OneEvent]) -> None:
    """Store these events and no others, in any order: some merged into a part or two, some not."""
    random = Random(repr(events))
    shuffled = random.sample(events, len(events))
    async with db.transaction() as session:
        for model in (Event, EventBatch, EventPart):
            await session.execute(delete(model))
    cuts = sorted(random.choices(range(len(events) + 1), k=3))
    for begin, end in pairwise([0, *cuts, len(events)]):
        await store_events(db, shuffled[begin:end])
        if random.random() < 0.5:
            await merge_once(db, MERGE_ALL)


MERGE_ALL = MergeLimits(batches=1, small_parts=2)


def at(change: datetime, minutes: int | None) -> datetime | None:
    return None if minutes is None else change + timedelta(minutes=minutes)


groups = st.lists(
    st.sampled_from(("type", "user", "hour", "day", "week", "month")), min_size=1, max_size=2, unique=True
)


@given(cases(), groups, periods())
@SETTINGS
async def test_totals_agree_with_the_oracle(
    db: Database,
    case: tuple[str, datetime, list[OneEvent]],
    by: list[str],
    period: tuple[int | None, int | None],
) -> None:
    zone, change, events = case
    since, until = at(change, period[0]), at(change, period[1])
    await store(db, events)
    parameters: dict[str, Any] = {"group_by": by, "tz": zone, "since": since, "until": until, "user_id": None}
    rows = await stats.count_events(db, STORE, **parameters, after=None, limit=1000, offset=0)
    counts = [(*row.groups.values(), row.events, row.users) for row in rows]
    assert counts == oracle.counts(oracle.between(events, since, until), by, zone)
    if rows:
        key = rows[0].key
        after = [key[0], *rows[0].groups.values()] if {"type", "user", "hour"}.issuperset(by) else None
        if after is not None:
            rest = await stats.count_events(db, STORE, **parameters, after=after, limit=1000, offset=0)
            assert [row.groups for row in rest] == [row.groups for row in rows[1:]]


SEGMENTS = (
    (Segment(), lambda _: True),
    (Segment(event_type="cart"), lambda event: event.event_type == "cart"),
    (Segment(name="plan", values=["5", 5]), lambda event: event.properties.get("plan") in ("5", 5)),
    (Segment(name="plan", values=["pro"]), lambda event: event.properties.get("plan") == "pro"),
    (Segment(name="plan", values=[[5]]), lambda _: False),
)


ST_JOHNS = datetime.fromisoformat(CHANGES["America/St_Johns"]).replace(tzinfo=UTC)
IN_THE_MINUTE_BEFORE = [
    OneEvent(0, "view", ST_JOHNS - timedelta(minutes=minutes), {}) for minutes in (4000, 1)
]


@given(cases(), periods(), st.sampled_from(range(len(SEGMENTS))))
@example(("America/St_Johns", ST_JOHNS, IN_THE_MINUTE_BEFORE), (None, 30), 0)
@example(("America/St_Johns", ST_JOHNS, IN_THE_MINUTE_BEFORE[1:]), (None, 1500), 0)
@SETTINGS
async def test_daily_active_users_agree_with_the_oracle(
    db: Database,
    case: tuple[str, datetime, list[OneEvent]],
    period: tuple[int | None, int | None],
    number: int,
) -> None:
    zone, change, events = case
    since, until = at(change, period[0]), at(change, period[1])
    await store(db, events)
    segment, is_active = SEGMENTS[number]
    rows = await stats.count_daily_active_users(db, STORE, since=since, until=until, tz=zone, segment=segment)
    expected = oracle.active_users(events, since, until, zone, is_active)
    if events or (since and until):
        if not events:
            expected = oracle.active_users([OneEvent(1, "x", change)], since, until, zone, lambda _: False)
        assert [(row.day, row.users) for row in rows] == expected
    else:
        assert rows == []


@given(cases(), periods())
@SETTINGS
async def test_top_events_agree_with_the_oracle(
    db: Database, case: tuple[str, datetime, list[OneEvent]], period: tuple[int | None, int | None]
) -> None:
    _, change, events = case
    since, until = at(change, period[0]), at(change, period[1])
    await store(db, events)
    rows = await stats.list_top_events(db, STORE, since=since, until=until, limit=3)
    ranking = [(row.event_type, row.events, row.users) for row in rows]
    assert ranking == oracle.top(oracle.between(events, since, until))[:3]


@given(
    cases(),
    st.tuples(st.integers(-4, 2), st.none() | st.integers(-200, 200)),
    st.integers(1, 5),
    st.sampled_from(("day", "week")),
)
@SETTINGS
async def test_retention_agrees_with_the_oracle(
    db: Database,
    case: tuple[str, datetime, list[OneEvent]],
    start: tuple[int, int | None],
    windows: int,
    unit: str,
) -> None:
    """Windows begin with a day, or so many minutes before or after the clock changes."""
    zone, change, events = case
    await store(db, events)
    days, minutes = start
    first: date = oracle.day_of(change, zone) + days * oracle.DAY
    if minutes is not None:
        first = change + days * oracle.DAY + timedelta(minutes=minutes)
    rows = await stats.count_retention(db, STORE, start=first, windows=windows, unit=unit, tz=zone)
    expected = oracle.retention(events, first, windows, 7 if unit == "week" else 1, zone)
    assert [(row.cohort, row.size, list(row.retained)) for row in rows] == expected


step_lists = st.lists(st.sampled_from(TYPES), min_size=2, max_size=4)


@given(cases(), step_lists, st.sampled_from((1, 60, 1800, 3600, 86_400, 10**6)), periods())
@example(
    (
        "UTC",
        datetime(2024, 1, 1, tzinfo=UTC),
        [
            OneEvent(1, name, datetime(2024, 1, 1, hour, tzinfo=UTC))
            for name, hour in (("view", 0), ("cart", 1), ("view", 10), ("cart", 11), ("pay", 12))
        ],
    ),
    ["view", "cart", "pay"],
    7200,  # only the second view is in time
    (None, None),
)
@SETTINGS
async def test_funnels_agree_with_the_oracle(
    db: Database,
    case: tuple[str, datetime, list[OneEvent]],
    steps: list[str],
    within: int,
    period: tuple[int | None, int | None],
) -> None:
    _, change, events = case
    since, until = at(change, period[0]), at(change, period[1])
    await store(db, events)
    rows = await stats.count_funnel(db, STORE, steps=steps, within=within, since=since, until=until)
    expected = oracle.funnel(oracle.between(events, since, until), steps, timedelta(seconds=within))
    assert [row.users for row in rows] == expected
    assert [row.event_type for row in rows] == steps
    assert [row.share for row in rows] == [
        round(users / expected[0], 4) if expected[0] else 0.0 for users in expected
    ]


async def test_a_funnel_has_ten_steps_at_most_and_counts_each(db: Database) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    names = [f"step-{number}" for number in range(10)]
    await store(db, [OneEvent(1, name, start + at * oracle.DAY) for at, name in enumerate(names)])
    rows = await stats.count_funnel(db, STORE, steps=names, within=9 * 86_400, since=None, until=None)
    assert [row.users for row in rows] == [1] * 10
    late = await stats.count_funnel(db, STORE, steps=names, within=9 * 86_400 - 1, since=None, until=None)
    assert [row.users for row in late] == [1] * 9 + [0]


async def test_active_users_are_counted_over_a_hundred_years_at_most(db: Database) -> None:
    with pytest.raises(Invalid):
        await stats.count_daily_active_users(
            db,
            STORE,
            since=datetime(1900, 1, 1, tzinfo=UTC),
            until=datetime(2024, 1, 1, tzinfo=UTC),
            tz="UTC",
            segment=Segment(),
        )


async def test_users_seen_before_the_start_are_of_no_cohort(db: Database) -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    await store(db, [OneEvent(1, "view", start - oracle.DAY), OneEvent(1, "view", start)])
    [cohort] = await stats.count_retention(db, STORE, start=date(2024, 1, 1), windows=1, unit="day", tz="UTC")
    assert (cohort.size, cohort.retained) == (0, [0])
