"""The background work of a worker, as the settings say."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from bootstrap import start_background_work
from config import read_settings
from db.database import Database
from service.deps import Deps
from service.visits.store import store_live_visits
from tests.support.ipinfo_service import TOKEN, play_ipinfo
from tests.support.live_cases import live_row
from tests.support.processes import PATIENCE

NO_FILE = Path("no-such.env")


Visits = list[tuple[str, str | None]]


async def select_visits(db: Database) -> Visits:
    """Return the address and the country of all visits."""
    async with db.read() as session:
        rows = await session.execute(text("SELECT host(address), country FROM visit ORDER BY 1"))
        return [(address, country) for address, country in rows]


async def become(db: Database, expected: Visits) -> bool:
    """Wait until the visits are as expected; returns whether they ever are."""
    end = time.monotonic() + PATIENCE
    while await select_visits(db) != expected:
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_old_visits_are_deleted_and_countries_added_when_that_is_set(
    deps: Deps, committed_db: Database
) -> None:
    old, young = datetime(2018, 8, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(minutes=1)
    visits = [
        live_row(address="8.8.8.8", country="US", occurred_at=old),
        live_row(address="9.9.9.9", country=None, occurred_at=young),
    ]
    await store_live_visits(committed_db, visits)
    async with play_ipinfo() as fake:
        fake.countries = {"9.9.9.9": "CH"}
        settings = read_settings({"RETENTION_DAYS": "30", "IPINFO_TOKEN": TOKEN}, NO_FILE)
        start_background_work(settings, replace(deps, db=committed_db))
        assert await become(committed_db, [("9.9.9.9", "CH")])
        await deps.background.close()


async def test_no_visit_is_deleted_and_no_country_requested_when_nothing_is_set(
    deps: Deps, committed_db: Database
) -> None:
    old = live_row(country=None, occurred_at=datetime(2018, 8, 1, tzinfo=UTC))
    await store_live_visits(committed_db, [old])
    async with play_ipinfo() as fake:
        start_background_work(read_settings({}, NO_FILE), replace(deps, db=committed_db))
        await asyncio.sleep(0.1)  # in which nothing happens
        await deps.background.close()
    assert fake.batches == []
    assert await select_visits(committed_db) == [("8.8.8.8", None)]
