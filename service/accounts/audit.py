"""Deletes events of the audit that are too old. One worker of all servers does it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from clock import Clock
from db.database import Database
from db.locks import AUDIT
from db.queries.auth_events import delete_oldest_events
from service.background import Schedule, run_periodically

SCHEDULE = Schedule(every=3600.0, retry=60.0)


@dataclass(frozen=True, slots=True)
class AuditLimits:
    """When old events are looked for, and how many a transaction deletes."""

    schedule: Schedule = SCHEDULE
    batch: int = 10_000


LIMITS = AuditLimits()


async def enforce_audit_retention(
    db: Database, days: int, *, clock: Clock, limits: AuditLimits = LIMITS
) -> None:
    """Delete events that are older than `days`: now, and then once an hour until cancelled."""

    async def delete_old_events() -> None:
        await delete_before(db, clock() - timedelta(days=days), batch=limits.batch)

    await run_periodically(
        db, delete_old_events, limits.schedule, lock=AUDIT, failure_event="audit_retention_postponed"
    )


async def delete_before(db: Database, before: datetime, *, batch: int) -> None:
    """Delete the events before a moment, the oldest first."""
    count = batch
    while count == batch:
        async with db.transaction() as session:
            count = await delete_oldest_events(session, before=before, count=batch)
