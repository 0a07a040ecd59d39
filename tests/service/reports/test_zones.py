"""Reports by hour in zones of all kinds, held to what Python's clock of each zone shows."""

from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from api.reports import REQUESTS
from api.time_zones import is_time_zone
from calendar_days import clock_changes, time_zone
from clients.geo import Geo
from db.database import Database
from service.columns.store import ColumnStore
from service.reports.reports import get_report, run_report
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer
from tests.support.oracle import start_of_hour

QUARTER = 900  # seconds: what the roll-ups count by
NAMES = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
ODD_ZONES = (
    "Australia/Lord_Howe",
    "America/Havana",
    "Asia/Kathmandu",
    "America/Vancouver",
    "Pacific/Apia",
    "CET",
)
zones = st.sampled_from(ODD_ZONES) | st.sampled_from([name for name in NAMES if is_time_zone(name)])


@st.composite
def views(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    """Draw a zone, and instants about some of the changes of its clock."""
    tz, year = draw(zones), draw(st.integers(1990, 2026))
    begin = datetime(year, 1, 1, tzinfo=UTC)
    moves = clock_changes(tz, year)
    assume(not any(move % QUARTER for move in moves))  # as that of St. John's until 2011: a known limit
    changes = [datetime.fromtimestamp(move, UTC) for move in moves]
    centres = st.sampled_from([*changes, begin])
    minutes = draw(st.lists(st.tuples(centres, st.integers(-180, 180)), min_size=1, max_size=12))
    return tz, [centre + timedelta(minutes=some) for centre, some in minutes]


@given(drawn=views(), since=st.none() | st.integers(-4, 4))
@settings(max_examples=15, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
async def test_hours_are_those_of_the_zones_own_clock(
    committed_db: Database, geo: Geo, drawn: tuple[str, list[datetime]], since: int | None
) -> None:
    (tz, instants), db = drawn, committed_db
    await Importer(db, geo).empty()
    await store_live_visits(db, [live_row("/caviar/", occurred_at=each) for each in instants])
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
