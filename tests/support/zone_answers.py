"""Prints as JSON what all that knows time zones answers: in a process whose system has another table of them.

python -m tests.support.zone_answers DATABASE_URL ZONE ...
"""

import asyncio
import json
import sys
from datetime import date
from typing import Any

from api.reports import REQUESTS
from db.database import Database
from service.columns.store import ColumnStore
from service.events.stats import Segment, count_daily_active_users, count_events, count_retention
from service.reports.reports import get_report, run_report
from service.visits.queries import count_visits

UNITS = ("hour", "day", "week")
START, WINDOWS = date(2026, 8, 30), 90  # days that hold all visits and events in each zone


async def answers_in(db: Database, store: ColumnStore, tz: str) -> dict[str, Any]:
    """Return counts by the instants at which groups begin, and those of each hour of the day."""
    answers: dict[str, Any] = {}
    page: dict[str, Any] = {"tz": tz, "after": None, "limit": 1000, "offset": 0}
    for unit in UNITS:
        visits = await count_visits(db, store, category=None, group_by=(unit,), **page)
        answers[f"visits by {unit}"] = {each.group[unit].isoformat(): each.visits for each in visits}
        events = await count_events(db, store.events, group_by=[unit], **page)
        answers[f"events by {unit}"] = {each.groups[unit].isoformat(): each.events for each in events}
    days = await count_daily_active_users(db, store.events, since=None, until=None, tz=tz, segment=Segment())
    answers["active users"] = {each.day.isoformat(): each.users for each in days if each.users}
    cohorts = await count_retention(db, store.events, start=START, windows=WINDOWS, unit="day", tz=tz)
    answers["new users"] = {each.cohort.isoformat(): each.size for each in cohorts if each.size}
    for number, own in ((3, {"category": "caviar"}), (4, {})):
        parameters = REQUESTS[number]().load({"tz": tz, "limit": "1000"} | own)
        rows: Any = (await run_report(db, store, get_report(str(number)), parameters)).rows
        answers[f"report {number}"] = (
            rows[0].hours if number == 3 else {row.hour.isoformat(): row.requests for row in rows}
        )
    return answers


async def main() -> None:
    db, store = Database.connect(sys.argv[1]), ColumnStore()
    json.dump({tz: await answers_in(db, store, tz) for tz in sys.argv[2:]}, sys.stdout)
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
