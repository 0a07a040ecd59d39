"""Advisory locks, whose numbers stand in SQL files too."""

import asyncio

import pytest

from db.database import Database
from db.locks import WRITERS, lock_writers_exclusive, lock_writers_shared, try_lock
from db.sql import statement


@pytest.mark.parametrize("name", ["visits/store_live_visit", "visits/store_live_visits"])
def test_statements_that_store_visits_take_the_lock_of_writers(name: str) -> None:
    assert f"pg_advisory_xact_lock_shared({WRITERS})" in statement(name).text


async def test_the_lock_of_a_job_is_one_transactions_until_it_ends(committed_db: Database) -> None:
    async with committed_db.transaction() as first:
        assert await try_lock(first, "a job")
        async with committed_db.transaction() as second:
            assert await try_lock(second, "another job")
            assert not await try_lock(second, "a job")
    async with committed_db.transaction() as third:
        assert await try_lock(third, "a job")


async def test_writers_store_together_and_wait_for_whoever_changes_visits(committed_db: Database) -> None:
    async def store() -> None:
        async with committed_db.transaction() as session:
            await lock_writers_shared(session)

    async with committed_db.transaction() as session:
        await lock_writers_shared(session)
        await asyncio.wait_for(store(), 10)
    async with committed_db.transaction() as session:
        await lock_writers_exclusive(session)
        writer = asyncio.create_task(store())
        done, _ = await asyncio.wait([writer], timeout=0.1)
        assert not done
    await asyncio.wait_for(writer, 10)
