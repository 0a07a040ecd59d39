"""Deletes addresses that no visit has any more, after visits were deleted."""

import asyncio

from db.database import Database
from db.locks import lock_parts, select_writers
from db.queries import unvisited_addresses as queries
from service.visits.pacing import LIMITS

POLL_SECONDS = 0.02


async def delete_unvisited_addresses(db: Database, *, most: int = LIMITS.addresses) -> None:
    """Delete the addresses that no visit has, without holding up whoever stores visits meanwhile.

    Parts wait while addresses are deleted, and look their addresses up again. A live visit does not wait: one
    that has seen the address before it is deleted is looked for when all who stored visits then are done, and
    the address inserted again.

    :param most: addresses in a batch
    """
    await restore_missing_addresses(db)  # which a process that died has left
    visited = queries.VisitedAddresses()
    async with db.read() as session:
        candidates = await queries.select_unvisited_addresses(session, visited)
    for start in range(0, len(candidates), most):
        async with db.transaction() as session:
            await lock_parts(session)
            await queries.delete_addresses(session, candidates[start : start + most], visited)
        await await_writers(db)
        await restore_missing_addresses(db)


async def restore_missing_addresses(db: Database) -> None:
    """Insert the addresses of live visits that were deleted while these were being stored."""
    async with db.transaction() as session:
        await queries.insert_missing_addresses(session)


async def await_writers(db: Database) -> None:
    """Wait until all who store visits now are done, and keep nobody waiting."""
    async with db.read() as session:
        writers = await select_writers(session)
    while writers:
        await asyncio.sleep(POLL_SECONDS)
        async with db.read() as session:
            writers &= await select_writers(session)
