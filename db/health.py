"""Health of the database: whether it answers, and with which schema."""

import asyncio

from db.database import DATABASE_ERRORS, Database
from db.distribution import Worker, answers, is_citus, select_workers
from db.migrate import current_revision
from db.replication import PRIMARY_STATE, REPLICA_STATE

WORKER_TIMEOUT = 2.0  # seconds after which a worker that does not answer counts as down
AT_ONCE = 3  # workers that are asked at a time: each takes a connection of the pool while it is silent


async def read_revision(db: Database) -> str | None:
    """Return the revision of its schema, empty if it has none; None if it does not answer."""
    try:
        async with db.transaction() as session:
            connection = await session.connection()
            return await connection.run_sync(current_revision) or ""
    except DATABASE_ERRORS:
        return None


async def read_bytes_behind(primary: Database, replica: Database) -> int | None:
    """Return how many bytes of the primary's log a replica has not replayed; None if it is not its replica.

    :raises ConnectionError: or another of DATABASE_ERRORS: one of them does not answer
    """
    async with replica.raw() as raw:
        state = await raw.fetchrow(REPLICA_STATE)
    async with primary.raw() as raw:
        newest = await raw.fetchrow(PRIMARY_STATE)
    assert state is not None
    assert newest is not None
    if not state["is_replica"]:  # the primary itself by another address is never behind
        return 0 if state["start"] == newest["start"] else None
    return max(0, (newest["written"] or 0) - (state["replayed"] or 0))


async def read_workers(db: Database, *, seconds: float = WORKER_TIMEOUT) -> dict[str, bool]:
    """Return whether each worker of the cluster answers, by host and port: none where there is no cluster."""
    try:
        async with db.raw() as raw:
            workers = await select_workers(raw) if await is_citus(raw) else []
    except DATABASE_ERRORS:
        return {}
    permits = asyncio.Semaphore(AT_ONCE)

    async def ask(worker: Worker) -> bool:
        async with permits:
            return await worker_answers(db, worker, seconds)

    answered = await asyncio.gather(*map(ask, workers))
    return dict(zip(map(str, workers), answered, strict=True))


async def worker_answers(db: Database, worker: Worker, seconds: float) -> bool:
    """Return whether the database can connect to a worker within `seconds`."""
    try:
        async with asyncio.timeout(seconds), db.raw() as raw:
            return await answers(raw, worker)
    except DATABASE_ERRORS:
        return False
