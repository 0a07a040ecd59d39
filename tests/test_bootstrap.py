"""What a worker does beside its requests, as the settings say."""

import asyncio
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

NO_FILE = Path("no-such.env")


async def visits_of(db: Database) -> list[tuple[str, str | None]]:
    async with db.read() as session:
        found = await session.execute(text("SELECT host(address), country FROM visit ORDER BY 1"))
        return [(address, country) for address, country in found]


async def visits_in_the_end(db: Database, expected: list[tuple[str, str | None]]) -> object:
    """The visits, as soon as they are as expected, or after 20 s."""
    for _ in range(1000):
        if await visits_of(db) == expected:
            break
        await asyncio.sleep(0.02)
    return await visits_of(db)


async def test_old_visits_go_and_countries_come_when_that_is_set(deps: Deps, committed_db: Database) -> None:
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
        expected: list[tuple[str, str | None]] = [("9.9.9.9", "CH")]
        assert await visits_in_the_end(committed_db, expected) == expected
        await deps.background.close()


async def test_nothing_goes_and_nobody_is_asked_when_nothing_is_set(
    deps: Deps, committed_db: Database
) -> None:
    old = live_row(country=None, occurred_at=datetime(2018, 8, 1, tzinfo=UTC))
    await store_live_visits(committed_db, [old])
    async with play_ipinfo() as fake:
        start_background_work(read_settings({}, NO_FILE), replace(deps, db=committed_db))
        await asyncio.sleep(0.1)
        await deps.background.close()
    assert fake.batches == []
    assert await visits_of(committed_db) == [("8.8.8.8", None)]
