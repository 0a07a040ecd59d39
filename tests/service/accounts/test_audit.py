"""Old events of the audit are deleted, and no others."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert, select

from db.database import Database
from db.models import AuthEvent
from service.accounts.audit import AuditLimits, enforce_audit_retention
from tests.support.eventually import eventually

NOW = datetime(2026, 5, 6, 7, 8, 9, tzinfo=UTC)


async def ages(db: Database) -> list[float]:
    """The ages of the events in days."""
    async with db.read() as session:
        return [(NOW - at) / timedelta(days=1) for at in await session.scalars(select(AuthEvent.at))]


async def test_events_older_than_the_days_are_deleted_batch_by_batch(committed_db: Database) -> None:
    rows = [{"type": "login", "at": NOW - timedelta(days=days)} for days in (0, 10, 11, 12, 400, 9.9)]
    async with committed_db.transaction() as session:
        await session.execute(insert(AuthEvent).values(rows))
    work = enforce_audit_retention(committed_db, 10, clock=lambda: NOW, limits=AuditLimits(batch=2))
    task = asyncio.create_task(work)

    async def are_gone() -> bool:
        return len(await ages(committed_db)) <= 3

    try:
        await eventually(are_gone)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert sorted(await ages(committed_db)) == [0, 9.9, 10]
