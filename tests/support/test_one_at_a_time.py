"""What a request leaves to the background comes at any moment, also amid an export on the same connection."""

import asyncio

import pytest
from sqlalchemy import text

from db.database import Database
from db.sessions import raw_connection

SOON = text("SELECT pg_sleep(0.02)")


async def read_in_a_transaction(db: Database, begun: asyncio.Event) -> None:
    async with db.transaction() as session:
        await session.connection()
        begun.set()
        await session.execute(SOON)


@pytest.mark.parametrize("opened", ["dedicated", "dedicated_snapshot"])
async def test_long_work_begins_after_the_transaction_that_is_under_way(db: Database, opened: str) -> None:
    begun = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(read_in_a_transaction(db, begun))
        await begun.wait()
        async with getattr(db, opened)() as session:
            assert await (await raw_connection(session)).fetchval("SELECT 1") == 1


async def test_long_work_ends_after_the_transaction_that_is_under_way(db: Database) -> None:
    begun = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, db.dedicated() as long:
        await long.connection()
        tasks.create_task(read_in_a_transaction(db, begun))
        await begun.wait()
    async with db.read() as session:
        assert await session.scalar(text("SELECT 1")) == 1


async def test_a_transaction_waits_for_a_snapshot(db: Database) -> None:
    begun = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, db.dedicated_snapshot() as session:
        tasks.create_task(read_in_a_transaction(db, begun))
        for _ in range(5):
            assert await (await raw_connection(session)).fetchval("SELECT 1") == 1
            assert not begun.is_set()
