"""Lists, exports and statistics of visits, held to the obvious way of computing them."""

import uuid
from collections.abc import Callable, Iterable
from dataclasses import astuple, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from db.queries.live_visits import LiveRow
from service.columns.store import ColumnStore
from service.errors import NotFound
from service.visits.exports import export_visits
from service.visits.ids import log_line_id
from service.visits.merging import VisitMerger
from service.visits.queries import VisitCount, count_visits, get_visit, list_visits
from service.visits.store import Visit, store_live_visits
from tests.support.live_cases import NOW, live_row
from tests.support.log_imports import Importer
from tests.support.merging import ALWAYS, LATER, merge_visits
from tests.support.parts import NOTHING_SAID, Line, Said, line, say, some_keys, store_part

NOTHING: dict[str, Any] = {
    "since": None,
    "until": None,
    "user_id": None,
    "page_url": None,
    "source": None,
    "country": None,
    "category": None,
    "kind": None,
    "traffic": "all",
    "referrer": None,
    "browser": None,
    "os": None,
    "device": None,
    "status": None,
}
FIREFOX: dict[str, Any] = {"agent": "Firefox", "browser": "Firefox", "os": "Windows", "device": "desktop"}
SAID = (
    NOTHING_SAID,
    NOTHING_SAID,
    Said(**FIREFOX, referrer="https://a.example/x?y", host="a.example"),
    Said("GET", 200, 0, **FIREFOX),
    Said("GET", 404, 7, "https://b.example/", "b.example", "Curl", "curl", is_bot=True),
    Said("POST", 304, None, "https://a.example/", "a.example", "Safari", "Safari", "iOS", "mobile"),
    Said(None, 200, 2**40, "something", None, "?"),
)
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
PAGES = (
    "/",
    "/fresh_fish/",
    "/fresh_fish/salmon/",
    "/caviar/",
    "https://shop.example/caviar/",
    "/рыба/",
    "https://shop.example/cart?goods_id=5&amount=2&cart_id=31",
    "https://shop.example/cart?amount=2&goods_id=5&cart_id=31",
    "https://shop.example/pay?user_id=1&cart_id=31",
    "https://shop.example/pay?user_id=12&cart_id=3",
    "https://shop.example/success_pay_31/",
    "/success_pay_31/",
)


@dataclass(frozen=True, slots=True)
class LiveSaid:
    """A live visit, and what it says: no method, status or bytes."""

    row: LiveRow
    said: Said

    def __getattr__(self, name: str) -> Any:
        return getattr(self.row, name)


Row = LiveSaid | Line
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
            if begin.astimezone(zone).minute - before.astimezone(zone).minute != 1:
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


@st.composite
def visits(draw: st.DrawFn) -> tuple[list[LiveSaid], list[list[Line]]]:
    """Draw live visits, and the lines of up to three parts."""
    begin = draw(st.sampled_from(BEGINS))
    live, parts, keys = [], [], some_keys(100)

    def instant() -> datetime:
        minutes = draw(st.one_of(st.integers(0, 10), st.integers(0, 60 * 50)))
        return begin + timedelta(minutes=minutes, seconds=draw(st.integers(0, 3)))

    for position in range(draw(st.integers(0, 15))):
        address, country = draw(st.sampled_from(ADDRESSES))
        row = live_row(
            draw(st.sampled_from(PAGES)),
            occurred_at=instant(),
            position=position,
            user_id=draw(st.sampled_from((None, -1, 0, 1))),
            address=address,
            country=country,
            source=draw(st.sampled_from(("api", "page"))),
        )
        said = replace(draw(st.sampled_from(SAID)), method=None, status=None, bytes=None)
        live.append(LiveSaid(row, said))
    for _ in range(draw(st.integers(0, 3))):
        part, choice = [], draw(st.sampled_from((SAID, (NOTHING_SAID,))))
        for _ in range(draw(st.integers(1, 12))):
            address, country = draw(st.sampled_from(ADDRESSES[:3]))
            page_url = draw(st.sampled_from(PAGES))
            part.append(
                line(
                    page_url,
                    at=instant(),
                    key=keys.pop(),
                    address=address,
                    country=country,
                    said=draw(st.sampled_from(choice)),
                )
            )
        parts.append(part)
    return live, parts


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
        "kind": st.sampled_from(("main", "cart", "pay", "success", "other")),
        "traffic": st.sampled_from(("human", "bot")),
        "referrer": st.sampled_from(("a.example", "B.example", "https://a.example/", "https://c.example/")),
        "browser": st.sampled_from(("Firefox", "curl", "none")),
        "os": st.sampled_from(("Windows", "iOS")),
        "device": st.sampled_from(("desktop", "mobile")),
        "status": st.sampled_from((200, 404, 500)),
    }
    names = draw(st.lists(st.sampled_from(sorted(some)), max_size=2, unique=True))
    return {**NOTHING, "since": since, "until": until, **{name: draw(some[name]) for name in names}}


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


async def store_live(db: Database, live: list[LiveSaid], merges: int) -> None:
    """Store live visits, and merge none, all or some of them."""
    if live:
        await store_live_visits(db, [each.row for each in live])
        await say(db, {each.request_id: each.said for each in live})
    if merges == 1:
        await merge_visits(db)
    elif merges:
        await VisitMerger(db, lambda: LATER, ALWAYS).merge_live_visits("api")


@given(
    drawn=st.tuples(visits(), st.booleans(), st.sampled_from((0, 1, 2))),
    cases=st.lists(st.tuples(filters(), groupings, st.sampled_from(ZONES)), min_size=2, max_size=4),
)
@settings(max_examples=10, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
async def test_lists_and_statistics_agree_with_the_oracle(
    committed_db: Database, tmp_path_factory: Any, geo: Geo, drawn: Any, cases: list[Any]
) -> None:
    db, ((live, parts), has_files, merges) = committed_db, drawn
    store = ColumnStore.under(tmp_path_factory.mktemp("columns"), megabytes=10 if has_files else 0)
    await Importer(db, geo).empty()
    for part in parts:
        await store_part(db, part)
    await store_live(db, live, merges)
    rows = [*live, *(each for part in parts for each in part)]
    newest_first = sorted(rows, key=lambda visit: (visit.occurred_at, visit.request_id), reverse=True)
    for criteria, group_by, tz in cases:
        expected = [visit for visit in newest_first if passes(visit, criteria)]
        listed = await list_visits(db, store, **criteria, after=None, limit=1000, offset=0)
        assert [visit.id for visit in listed] == [visit.request_id for visit in expected]
        for shown, visit in zip(listed, expected, strict=True):
            assert (shown.timestamp, shown.page_url, shown.user_id, shown.country, shown.source) == (
                visit.occurred_at,
                visit.page_url,
                visit.user_id,
                visit.country,
                visit.source,
            )
            assert (shown.kind, shown.category, shown.product) == (visit.kind, visit.category, visit.product)
            for name in ("method", "status", "bytes", "referrer", "browser", "os", "device", "traffic"):
                assert getattr(shown, name) == getattr(visit.said, name)
        if len(listed) > 1:
            after = (listed[0].timestamp, uuid.UUID(listed[0].id))
            assert await list_visits(db, store, **criteria, after=after, limit=1000, offset=0) == listed[1:]
            assert await list_visits(db, store, **criteria, after=None, limit=1, offset=1) == listed[1:3]
        how: dict[str, Any] = {"group_by": group_by, "tz": tz, "limit": 1000, "compare": None}
        counts = await count_visits(db, store, **criteria, **how, after=None, offset=0)
        assert [values_of(count) for count in counts] == expected_counts(expected, group_by, tz)
        if criteria["until"] is not None:
            how |= {"compare": "previous"}
            compared = await count_visits(db, store, **criteria, **how, after=None, offset=0)
            assert [values_of(count) for count in compared] == [values_of(count) for count in counts]
            previous = expected_previous(rows, criteria, group_by, tz)
            for count in compared:
                assert count.previous is not None
                assert astuple(count.previous) == previous(count.group)
            how |= {"compare": None}
        for place in range(1, len(counts))[:2]:
            one = how | {"limit": 1}
            assert (await count_visits(db, store, **criteria, **one, after=(place,), offset=0))[0] == counts[
                place
            ]
        assert await exported(db, store, **criteria) == [as_exported(visit) for visit in listed]


@pytest.mark.parametrize("group_by", [("page",), ("page", "user"), ("kind", "page")])
async def test_a_page_is_one_group_in_parts_of_its_host_and_of_others(
    db: Database, store: ColumnStore, group_by: tuple[str, ...]
) -> None:
    pages = ("/cart?goods_id=5&amount=2&cart_id=31", "/pay?user_id=12&cart_id=3", "/success_pay_31/")
    urls = [
        f"{host}{page}" for host in ("https://shop.example", "https://other.example", "") for page in pages
    ]
    how: dict[str, Any] = {"group_by": group_by, "tz": "UTC", "compare": None, "after": None}

    async def check() -> None:
        expected = expected_counts(rows, group_by, "UTC")
        counts = await count_visits(db, store, **NOTHING, **how, limit=100, offset=0)
        assert [values_of(count) for count in counts] == expected
        for place, row in enumerate(expected):
            [count, *_] = await count_visits(db, store, **NOTHING, **how, limit=1, offset=place)
            assert values_of(count) == row

    rows: list[Row] = []
    keys = some_keys(100)
    for some in (urls, urls[::-1], urls[:4], urls[3:]):  # the host of a part is that of its first line
        part = [line(url, at=NOW + timedelta(seconds=at), key=keys.pop()) for at, url in enumerate(some)]
        await store_part(db, part)
        rows += part
        await check()  # at first of pages visited once, and then of pages that are known in part
    live = [live_row(url, position=place) for place, url in enumerate(urls)]
    await store_live_visits(db, live)
    rows += [LiveSaid(each, NOTHING_SAID) for each in live]
    await check()


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


@pytest.mark.parametrize(
    "case",
    [
        ("America/New_York", "2018-11-04T05:59:00", "hour", "2018-11-04T05:00:00"),
        ("America/New_York", "2018-11-04T06:01:00", "hour", "2018-11-04T06:00:00"),
        ("America/Havana", "2018-11-04T05:30:00", "day", "2018-11-04T04:00:00"),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", "day", "2018-11-04T03:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T14:59:00", "hour", "2018-03-31T14:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T15:15:00", "hour", "2018-03-31T15:00:00"),
        ("Australia/Lord_Howe", "2018-10-06T15:45:00", "hour", "2018-10-06T15:30:00"),
        ("Asia/Kathmandu", "2018-11-04T12:20:00", "hour", "2018-11-04T12:15:00"),
        ("Europe/Berlin", "2018-10-28T22:59:00", "week", "2018-10-21T22:00:00"),
        ("Europe/Berlin", "2018-10-28T23:00:00", "week", "2018-10-28T23:00:00"),
        ("CET", "2026-07-10T22:30:00", "day", "2026-07-10T22:00:00"),  # PostgreSQL has it an hour behind
        ("MET", "2026-07-10T22:30:00", "day", "2026-07-10T22:00:00"),
        ("America/Vancouver", "2026-11-15T07:30:00", "day", "2026-11-15T07:00:00"),
        ("America/Vancouver", "2026-11-15T08:30:00", "day", "2026-11-15T07:00:00"),
        ("America/Winnipeg", "2026-11-28T05:30:00", "day", "2026-11-28T05:00:00"),
        ("America/Winnipeg", "2026-11-28T12:00:00", "day", "2026-11-28T05:00:00"),
        ("Europe/Berlin", "2018-10-31T22:00:00", "month", "2018-09-30T22:00:00"),
    ],
)
async def test_groups_of_time_begin_when_the_local_clock_says(
    db: Database, store: ColumnStore, case: tuple[str, str, str, str]
) -> None:
    zone, instant, unit, begin = case
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    await store_live_visits(db, [live_row(occurred_at=moment)])
    how: dict[str, Any] = {
        "group_by": (unit,),
        "tz": zone,
        "compare": None,
        "after": None,
        "limit": 1,
        "offset": 0,
    }
    [count] = await count_visits(db, store, **NOTHING, **how)
    assert count.group == {unit: datetime.fromisoformat(begin).replace(tzinfo=UTC)}


def lines(count: int, *, begin: datetime = datetime(2018, 8, 1, tzinfo=UTC), seed: int = 1) -> list[Line]:
    """Lines of all pages, four of an instant."""
    return [
        line(PAGES[place % len(PAGES)], at=begin + timedelta(seconds=place // 4), key=key)
        for place, key in enumerate(some_keys(count, seed=seed))
    ]


async def test_pages_of_a_list_hold_every_visit_once(db: Database, store: ColumnStore) -> None:
    for seed in (1, 2):  # two parts of one period
        await store_part(db, lines(30, seed=seed))
    await store_live_visits(db, [live_row(position=place) for place in range(40)])
    whole = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in whole}) == 100
    paged, after = [], None
    while page := await list_visits(db, store, **NOTHING, after=after, limit=7, offset=0):
        paged += page[:7]
        after = (page[:7][-1].timestamp, uuid.UUID(page[:7][-1].id))
    assert paged == whole
    assert await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=90) == whole[90:]


@pytest.mark.parametrize("other", ["country", "day"])
async def test_pages_of_statistics_hold_every_pair_of_a_group_and_a_page_once(
    db: Database, store: ColumnStore, other: str
) -> None:
    """Pages visited once stand in the order of the other group first, and only then by URL."""
    for seed in (1, 2):
        await store_part(db, payments(seed))
    how: dict[str, Any] = {"group_by": (other, "page"), "tz": "UTC", "compare": None, "after": None}
    expected = expected_counts([*payments(1), *payments(2)], (other, "page"), "UTC")
    for limit in (1, 3, 7, 40, 1000):
        counts = [
            count
            for offset in range(0, len(expected), limit)
            for count in (await count_visits(db, store, **NOTHING, **how, limit=limit, offset=offset))[:limit]
        ]
        assert [values_of(count) for count in counts] == expected


def payments(seed: int) -> list[Line]:
    """Lines of pay pages that are visited once, but every tenth, whose countries do not follow their URLs."""
    return [
        line(
            "/pay?user_id=1&cart_id=1"
            if place % 10 == 0
            else f"/pay?user_id={place % 5 + 1}&cart_id={place}{seed}",
            at=datetime(2018, 8, 1 + place * 7 % 4, tzinfo=UTC),
            key=key,
            address=f"8.8.8.{place % 3}",
            country=("US", "DE", None)[place % 3],
        )
        for place, key in enumerate(some_keys(30, seed=seed), start=1)
    ]


async def test_log_lines_have_a_user_on_their_pay_line_alone(db: Database, store: ColumnStore) -> None:
    await store_part(db, lines(24))
    listed = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert {(visit.kind, visit.user_id) for visit in listed if visit.user_id} == {("pay", 1), ("pay", 12)}
    of_user = await list_visits(db, store, **NOTHING | {"user_id": 12}, after=None, limit=1000, offset=0)
    assert [visit.kind for visit in of_user] == ["pay", "pay"]
    assert await list_visits(db, store, **NOTHING | {"user_id": 0}, after=None, limit=9, offset=0) == []


async def test_each_visit_is_found_by_its_id(db: Database, store: ColumnStore) -> None:
    for seed in (1, 2):
        await store_part(db, lines(12, seed=seed))
    await store_live_visits(db, [live_row("/about")])
    listed = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in listed}) == 25
    assert [await get_visit(db, store, uuid.UUID(visit.id)) for visit in listed] == listed
    for missing in (uuid.uuid4(), log_line_id(NOW, 1), log_line_id(listed[-1].timestamp, 1)):
        with pytest.raises(NotFound):
            await get_visit(db, store, missing)


async def test_an_export_is_the_list_without_its_end(committed_db: Database, store: ColumnStore) -> None:
    db = committed_db
    await store_part(db, lines(1500))
    await store_part(db, lines(600, seed=2))
    await store_live_visits(db, [live_row(page_url) for page_url in PAGES])
    for filtered in ({}, {"source": "log"}, {"source": "api"}, {"category": "caviar"}, {"category": "none"}):
        listed = [
            as_exported(visit)
            for offset in (0, 1000, 2000)
            for visit in (
                await list_visits(db, store, **NOTHING | filtered, after=None, limit=1000, offset=offset)
            )[:1000]
        ]
        assert await exported(db, store, **NOTHING | filtered) == listed
