"""Lists, exports and statistics of visits, held to the obvious way of computing them."""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from db.queries.live_visits import LiveRow
from service.errors import NotFound
from service.visits.ids import log_line_id
from service.visits.queries import VisitCount, count_visits, export_visits, get_visit, list_visits
from service.visits.store import store_live_visits
from tests.support.live_cases import NOW, live_row
from tests.support.log_imports import Importer, some_lines

NOTHING: dict[str, Any] = {
    "since": None,
    "until": None,
    "user_id": None,
    "page_url": None,
    "source": None,
    "country": None,
    "category": None,
}
# Clocks change within these days in most of these zones, by an hour, half an hour, or over midnight.
BEGINS = tuple(datetime(2018, month, day, tzinfo=UTC) for month, day in ((3, 31), (10, 6), (10, 27), (11, 3)))
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/Havana",
    "America/Sao_Paulo",
    "America/St_Johns",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
ADDRESSES = (
    ("8.8.8.8", "US"),
    ("121.165.118.201", "KR"),
    ("10.0.0.1", None),
    (None, None),
    ("8.8.4.4", "US"),
)
PAGES = ("/", "/fresh_fish/", "/fresh_fish/salmon/", "/caviar/", "https://shop.example/caviar/", "/рыба/")
GROUPS: dict[str, tuple[str, Callable[[LiveRow], Any]]] = {
    "page": ("page_url", lambda visit: visit.page_url),
    "user": ("user_id", lambda visit: visit.user_id),
    "country": ("country", lambda visit: visit.country),
    "category": ("category", lambda visit: visit.category),
}
UNITS = ("hour", "day", "week", "month")


def begin_of(unit: str, moment: datetime, zone: ZoneInfo) -> datetime:
    """Step back by quarters while the local clock still shows the same hour, day, week or month."""
    if unit == "hour":
        local = moment.astimezone(zone)
        return moment - timedelta(minutes=local.minute, seconds=local.second)

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


@st.composite
def visits(draw: st.DrawFn) -> list[LiveRow]:
    begin = draw(st.sampled_from(BEGINS))
    visits = []
    for position in range(draw(st.integers(0, 25))):
        address, country = draw(st.sampled_from(ADDRESSES))
        minutes = draw(st.one_of(st.integers(0, 10), st.integers(0, 60 * 50)))
        visits.append(
            live_row(
                draw(st.sampled_from(PAGES)),
                occurred_at=begin + timedelta(minutes=minutes, seconds=draw(st.integers(0, 59))),
                position=position,
                user_id=draw(st.integers(-1, 1)),
                address=address,
                country=country,
                source=draw(st.sampled_from(("api", "page"))),
            )
        )
    return visits


@st.composite
def filters(draw: st.DrawFn) -> dict[str, Any]:
    begin = draw(st.sampled_from(BEGINS))
    since = draw(st.one_of(st.none(), st.integers(0, 60).map(lambda hours: begin + timedelta(hours=hours))))
    until = None if since is None or draw(st.booleans()) else since + timedelta(minutes=617)
    some = {
        "user_id": st.integers(-1, 1),
        "page_url": st.sampled_from(PAGES),
        "source": st.sampled_from(("api", "page", "log")),
        "country": st.sampled_from(("US", "KR", "DE")),
        "category": st.sampled_from(("fresh_fish", "caviar", "none")),
    }
    names = draw(st.lists(st.sampled_from(sorted(some)), max_size=2, unique=True))
    return {**NOTHING, "since": since, "until": until, **{name: draw(some[name]) for name in names}}


def passes(visit: LiveRow, criteria: dict[str, Any]) -> bool:
    values = {"user_id": visit.user_id, "page_url": visit.page_url, "source": visit.source}
    values |= {"country": visit.country, "category": visit.category}
    return (
        all(criteria[name] in (None, value) for name, value in values.items())
        and (criteria["since"] is None or visit.occurred_at >= criteria["since"])
        and (criteria["until"] is None or visit.occurred_at < criteria["until"])
    )


def expected_counts(visits: Iterable[LiveRow], group_by: tuple[str, ...], tz: str) -> list[dict[str, Any]]:
    zone, groups = ZoneInfo(tz), dict[tuple[Any, ...], list[LiveRow]]()
    for visit in visits:
        key = tuple(
            begin_of(name, visit.occurred_at, zone) if name in UNITS else GROUPS[name][1](visit)
            for name in group_by
        )
        groups.setdefault(key, []).append(visit)
    rows = sorted(
        groups.items(), key=lambda item: (-len(item[1]), *((part is None, part or 0) for part in item[0]))
    )
    return [
        {
            "group": {GROUPS.get(name, (name,))[0]: part for name, part in zip(group_by, key, strict=True)},
            "visits": len(members),
            "visitors": len({visit.address for visit in members} - {None}),
            "first": min(visit.occurred_at for visit in members),
            "last": max(visit.occurred_at for visit in members),
        }
        for key, members in rows
    ]


def values_of(count: VisitCount) -> dict[str, Any]:
    return {name: getattr(count, name) for name in ("group", "visits", "visitors", "first", "last")}


groupings = st.lists(st.sampled_from((*GROUPS, *UNITS)), max_size=2, unique=True).map(tuple)


@given(
    rows=visits(),
    cases=st.lists(st.tuples(filters(), groupings, st.sampled_from(ZONES)), min_size=2, max_size=4),
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
async def test_lists_and_statistics_agree_with_the_oracle(
    committed_db: Database, geo: Geo, rows: list[LiveRow], cases: list[Any]
) -> None:
    db = committed_db
    await Importer(db, geo).empty()
    if rows:
        await store_live_visits(db, rows)
    newest_first = sorted(rows, key=lambda visit: (visit.occurred_at, visit.request_id), reverse=True)
    for criteria, group_by, tz in cases:
        expected = [visit for visit in newest_first if passes(visit, criteria)]
        listed = await list_visits(db, **criteria, after=None, limit=1000, offset=0)
        assert [visit.id for visit in listed] == [visit.request_id for visit in expected]
        if len(listed) > 1:
            after = (listed[0].timestamp, listed[0].key)
            assert await list_visits(db, **criteria, after=after, limit=1000, offset=0) == listed[1:]
        how: dict[str, Any] = {"group_by": group_by, "tz": tz, "limit": 1000}
        counts = await count_visits(db, **criteria, **how, after=None, offset=0)
        assert [values_of(count) for count in counts] == expected_counts(expected, group_by, tz)
        if len(counts) > 1:
            [second] = (await count_visits(db, **criteria, **how | {"limit": 1}, after=(1,), offset=0))[:1]
            assert second == counts[1]


@pytest.mark.parametrize(
    ("zone", "instant", "unit", "begin"),
    [
        ("America/New_York", "2018-11-04T05:59:00", "hour", "2018-11-04T05:00:00"),
        ("America/New_York", "2018-11-04T06:01:00", "hour", "2018-11-04T06:00:00"),
        ("America/Havana", "2018-11-04T05:30:00", "day", "2018-11-04T04:00:00"),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", "day", "2018-11-04T03:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T14:59:00", "hour", "2018-03-31T14:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T15:15:00", "hour", "2018-03-31T14:30:00"),
        ("Australia/Lord_Howe", "2018-10-06T15:45:00", "hour", "2018-10-06T15:00:00"),
        ("Asia/Kathmandu", "2018-11-04T12:20:00", "hour", "2018-11-04T12:15:00"),
        ("Europe/Berlin", "2018-10-28T22:59:00", "week", "2018-10-21T22:00:00"),
        ("Europe/Berlin", "2018-10-28T23:00:00", "week", "2018-10-28T23:00:00"),
        ("Europe/Berlin", "2018-10-31T22:00:00", "month", "2018-09-30T22:00:00"),
    ],
)
async def test_groups_of_time_begin_when_the_local_clock_says(
    db: Database, zone: str, instant: str, unit: str, begin: str
) -> None:
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    await store_live_visits(db, [live_row(occurred_at=moment)])
    how: dict[str, Any] = {"group_by": (unit,), "tz": zone, "after": None, "limit": 1, "offset": 0}
    [count] = await count_visits(db, **NOTHING, **how)
    assert count.group == {unit: datetime.fromisoformat(begin).replace(tzinfo=UTC)}


async def test_pages_of_a_list_hold_every_visit_once(db: Database, geo: Geo) -> None:
    await Importer(db, geo).store(some_lines(60))
    await store_live_visits(db, [live_row(position=place) for place in range(40)])
    whole = await list_visits(db, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in whole}) == 100
    paged, after = [], None
    while page := await list_visits(db, **NOTHING, after=after, limit=7, offset=0):
        paged += page[:7]
        after = (page[:7][-1].timestamp, page[:7][-1].key)
    assert paged == whole
    assert await list_visits(db, **NOTHING, after=None, limit=1000, offset=90) == whole[90:]


async def test_log_lines_have_a_user_on_their_pay_line_alone(db: Database, geo: Geo) -> None:
    await Importer(db, geo).store(some_lines(12))
    listed = await list_visits(db, **NOTHING, after=None, limit=1000, offset=0)
    assert {(visit.kind, visit.user_id) for visit in listed if visit.user_id} == {("pay", 7)}
    of_user = await list_visits(db, **NOTHING | {"user_id": 7}, after=None, limit=1000, offset=0)
    assert [visit.kind for visit in of_user] == ["pay", "pay"]


async def test_each_visit_is_found_by_its_id(db: Database, geo: Geo) -> None:
    await Importer(db, geo).store(some_lines(6) + some_lines(6).replace(b"[0", b"[A"))
    await store_live_visits(db, [live_row("/about")])
    listed = await list_visits(db, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in listed}) == 13
    assert [await get_visit(db, uuid.UUID(visit.id)) for visit in listed] == listed
    for missing in (uuid.uuid4(), uuid.UUID(log_line_id(NOW, "AAAAAAAA"))):
        with pytest.raises(NotFound):
            await get_visit(db, missing)


async def test_an_export_is_the_list_without_its_end(committed_db: Database, geo: Geo) -> None:
    await Importer(committed_db, geo).store(some_lines(2100))
    await store_live_visits(committed_db, [live_row(page_url) for page_url in PAGES])
    for filtered in ({}, {"source": "log"}, {"category": "caviar"}, {"category": "none"}):
        batches = [batch async for batch in export_visits(committed_db, **NOTHING | filtered)]
        listed = [
            visit
            for offset in (0, 1000, 2000)
            for visit in (
                await list_visits(committed_db, **NOTHING | filtered, after=None, limit=1000, offset=offset)
            )[:1000]
        ]
        assert [visit for batch in batches for visit in batch] == listed
