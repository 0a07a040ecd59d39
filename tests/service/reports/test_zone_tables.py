"""All that knows time zones agrees with one oracle, whatever table of zones the system has."""

import asyncio
import json
import os
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from calendar_days import clock_changes, time_zone
from db.database import Database
from service.visits.store import store_live_visits
from tests.support.event_oracle import OneEvent
from tests.support.live_cases import live_row
from tests.support.stored_events import store_events
from tests.support.visit_oracle import begin_of
from tests.support.zone_answers import UNITS

pytestmark = pytest.mark.slow

ZONES = (
    "UTC",
    "Europe/Berlin",
    "CET",
    "WET",
    "America/New_York",
    "America/Havana",
    "America/Vancouver",
    "America/Winnipeg",
    "Africa/Casablanca",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Chatham",
)
BEGIN, END = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 11, 25, tzinfo=UTC)


def instants() -> list[datetime]:
    """Return instants about each change of the zones' clocks, and about days on which none changes."""
    changes = {change for tz in ZONES for change in clock_changes(tz, 2026)}
    centres = [BEGIN, END, *(datetime.fromtimestamp(change, UTC) for change in sorted(changes))]
    return [
        centre + timedelta(minutes=minutes)
        for centre in centres
        if BEGIN <= centre <= END
        for minutes in (-1500, -61, -29, 1, 46, 119, 1700)
    ]


def expected_answers(tz: str, moments: list[datetime]) -> dict[str, Any]:
    zone, answers = time_zone(tz), dict[str, Any]()
    begins = {
        unit: dict(Counter(begin_of(unit, each, zone).isoformat() for each in moments)) for unit in UNITS
    }
    for unit in UNITS:
        answers |= {f"visits by {unit}": begins[unit], f"events by {unit}": begins[unit]}
    hours = [each.astimezone(zone).hour for each in moments]
    return answers | {
        "active users": begins["day"],
        "new users": begins["day"],
        "report 3": [hours.count(hour) for hour in range(24)],
        "report 4": begins["hour"],
    }


def make_table(folder: Path, zone: str) -> None:
    """Make a table in which all zones have the clock of one."""
    content = (files("tzdata") / "zoneinfo").joinpath(*zone.split("/")).read_bytes()
    for name in ZONES:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


@pytest.mark.parametrize("table", ["Asia/Tokyo", "America/St_Johns", None])
async def test_every_answer_is_that_of_the_package_whatever_the_system_has(
    committed_url: str, tmp_path: Path, table: str | None
) -> None:
    """The systems' tables are as wrong as can be, or there is none."""
    moments = instants()
    if table is not None:
        make_table(tmp_path, table)
    db = Database.connect(committed_url)
    await store_live_visits(db, [live_row("/caviar/", occurred_at=each) for each in moments])
    await store_events(db, [OneEvent(number, "view", each) for number, each in enumerate(moments)])
    await db.close()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.zone_answers", committed_url, *ZONES),
        env=os.environ | {"PYTHONTZPATH": str(tmp_path), "TZDIR": str(tmp_path), "TZ": "America/Havana"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    answers = json.loads(output)
    for tz in ZONES:
        assert answers[tz] == expected_answers(tz, moments), tz
