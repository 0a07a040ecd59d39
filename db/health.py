"""Health of the database: whether it answers, and with which schema."""

import asyncio

from db.database import DATABASE_ERRORS, Database
from db.distribution import Worker, answers, is_citus, select_workers
from db.migrate import current_revision

WORKER_TIMEOUT = 2.0  # seconds after which a worker that does not answer counts as down


async def read_revision(db: Database) -> str | None:
    """Return the revision of its schema, empty if it has none; None if it does not answer."""
    try:
        async with db.transaction() as session:
            connection = await session.connection()
            return await connection.run_sync(current_revision) or ""
    except DATABASE_ERRORS:
        return None


async def read_workers(db: Database) -> dict[str, bool]:
    """Return whether each worker of the cluster answers, by host and port: none where there is no cluster."""
    try:
        async with db.raw() as raw:
            workers = await select_workers(raw) if await is_citus(raw) else []
        return {str(worker): await worker_answers(db, worker) for worker in workers}
    except DATABASE_ERRORS:
        return {}


async def worker_answers(db: Database, worker: Worker) -> bool:
    """Return whether the database can connect to a worker."""
    try:
        async with asyncio.timeout(WORKER_TIMEOUT), db.raw() as raw:
            return await answers(raw, worker)
    except DATABASE_ERRORS:
        return False
