"""Deletes sessions, refresh tokens and API keys that have expired, which open nothing any more."""

from datetime import datetime

from clock import Clock
from db.database import Database
from db.locks import EXPIRY
from db.queries.expiry import delete_expired
from service.background import Schedule, run_periodically

SCHEDULE = Schedule(every=3600.0, retry=60.0)
BATCH = 1000  # rows of a transaction, so that a sign-out never waits long


async def delete_expired_credentials(db: Database, *, clock: Clock, schedule: Schedule = SCHEDULE) -> None:
    """Delete what has expired: now, and then once an hour until cancelled; one worker of all servers does."""

    async def delete_all() -> None:
        await delete_expired_before(db, clock())

    await run_periodically(db, delete_all, schedule, lock=EXPIRY, failure_event="expiry_postponed")


async def delete_expired_before(db: Database, now: datetime, *, batch: int = BATCH) -> None:
    """Delete what has expired at a moment."""
    count = batch
    while count >= batch:
        async with db.transaction() as session:
            count = await delete_expired(session, now, limit=batch)
