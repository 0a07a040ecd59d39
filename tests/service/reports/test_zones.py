"""Reports by hour in zones of all kinds, held to what Python's clock of each zone shows."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.reports import REQUESTS
from api.time_zones import is_time_zone
from calendar_days import clock_changes, time_zone
from clients.geo import Geo
from db.database import Database
from service.columns.store import ColumnStore
from service.reports.reports import get_report, run_report
from service.visits.store import store_live_visits
from tests.support.examples import examples
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer
from tests.support.merging import merge_visits
from tests.support.oracle import start_of_hour

NAMES = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
ODD_ZONES = (
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "America/Vancouver",
    "Pacific/Apia",
    "CET",
)
# Clocks that move within a quarter hour, or whose hours begin there.
SPLIT_QUARTERS = (
    ("America/St_Johns", 2006),
    ("America/Goose_Bay", 2011),
    ("America/Moncton", 1999),
    ("Antarctica/Casey", 2022),
    ("Asia/Gaza", 2011),
    ("Pacific/Guam", 1976),
    ("Pacific/Kiritimati", 1979),
    ("Africa/Monrovia", 1972),
)
zones = st.sampled_from(ODD_ZONES) | st.sampled_from([name for name in NAMES if is_time_zone(name)])
years = st.tuples(zones, st.integers(1990, 2026)) | st.sampled_from(SPLIT_QUARTERS)


@st.composite
def views(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    """Draw a zone, and instants about some of the changes of its clock."""
    tz, year = draw(years)
    begin = datetime(year, 1, 1, tzinfo=UTC)
    moves = clock_changes(tz, year)
    changes = [datetime.fromtimestamp(move, UTC) for move in moves]
    centres = st.sampled_from([*changes, begin])
    minutes = draw(st.lists(st.tuples(centres, st.integers(-180, 180)), min_size=1, max_size=12))
    return tz, [centre + timedelta(minutes=some) for centre, some in minutes]


@given(drawn=views(), since=st.none() | st.integers(-4, 4), is_merged=st.booleans())
@settings(max_examples=examples(12), suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
async def test_hours_are_those_of_the_zones_own_clock(
    committed_db: Database, geo: Geo, drawn: tuple[str, list[datetime]], since: int | None, is_merged: bool
) -> None:
    (tz, instants), db = drawn, committed_db
    await Importer(db, geo).empty()
    await store_live_visits(db, [live_row("/caviar/", occurred_at=each) for each in instants])
    if is_merged:
        await merge_visits(db)
    quarter = min(instants).replace(minute=0, second=0)
    begin = None if since is None else quarter + timedelta(minutes=15 * since)
    zone, counted = time_zone(tz), [each for each in instants if begin is None or each >= begin]

    async def rows(number: int) -> Any:
        parameters = REQUESTS[number]().load({"tz": tz, "limit": "1000"}) | {"since": begin}
        if number == 3:
            parameters |= {"category": "caviar"}
        return (await run_report(db, ColumnStore(), get_report(str(number)), parameters)).rows

    starts = [start_of_hour(each, zone) for each in counted]
    busiest = sorted(set(starts), key=lambda start: (-starts.count(start), start))
    assert [(row.hour, row.requests) for row in await rows(4)] == [
        (each, starts.count(each)) for each in busiest
    ]
    hours = [each.astimezone(zone).hour for each in counted]
    expected = [hours.count(hour) for hour in range(24)]
    assert [row.hours for row in await rows(3)] == ([expected] * 4 if counted else [])


async def test_a_quarter_hour_that_a_clock_splits_counts_the_visits_that_are_asked_for(
    committed_db: Database, geo: Geo
) -> None:
    """St. John's went back from 0:01 to 23:01: one quarter hour is of two hours."""
    db, change = committed_db, datetime(2006, 10, 29, 2, 31, tzinfo=UTC)
    await Importer(db, geo).empty()
    minutes = {"/caviar/": (-1, 0, 1), "/caviar/beluga/": (0, 5), "/fresh_fish/": (-1, 3), "/": (2,)}

    def rows(source: str, agent: str | None = None) -> list[Any]:
        return [
            live_row(page, occurred_at=change + timedelta(minutes=each), source=source, agent=agent)
            for page, moments in minutes.items()
            for each in moments
        ]

    await store_live_visits(db, rows("api"))
    await merge_visits(db)
    await store_live_visits(db, [*rows("page"), *rows("site", agent="Googlebot/2.1")])

    async def ask(number: int, **more: Any) -> Any:
        parameters = REQUESTS[number]().load({"tz": "America/St_Johns"}) | more
        return (await run_report(db, ColumnStore(), get_report(str(number)), parameters)).rows

    def hours(rows: Any) -> list[tuple[datetime, int]]:
        return [(row.hour, row.requests) for row in rows]

    first, second = change - timedelta(minutes=1), change
    assert hours(await ask(4)) == [(second, 12), (first, 4)]
    assert hours(await ask(4, traffic="all")) == [(second, 18), (first, 6)]
    assert hours(await ask(4, until=change - timedelta(minutes=1))) == []
    assert hours(await ask(4, limit=1)) == [(second, 12)]
    assert hours(await ask(4, source="log")) == []
    [*_, caviar] = await ask(3, category="caviar")
    assert (caviar.hours[0], caviar.hours[23]) == (2, 4)
    [*_, caviar] = await ask(3, category="caviar", pages="all", traffic="bot")
    assert (caviar.hours[0], caviar.hours[23]) == (1, 4)
    assert not await ask(3, category="tins")
