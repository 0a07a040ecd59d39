"""Deletes addresses that no visit has any more, after visits were deleted."""

from db.database import Database
from db.locks import lock_writers_exclusive
from db.queries import addresses
from service.visits.pacing import LIMITS


async def delete_unvisited_addresses(db: Database, *, most: int = LIMITS.addresses) -> None:
    """Delete the addresses that no visit has, without holding up whoever stores visits meanwhile.

    The writers' lock is held only while the rows are deleted: a later visit of such an address waits for this
    transaction, and inserts the address again. Earlier visits of it are looked for without the lock.

    :param most: addresses in a batch
    """
    while True:
        async with db.read() as session:
            candidates = await addresses.select_unvisited_addresses(session, count=most)
        if not candidates:
            return
        async with db.transaction() as session:
            async with db.dedicated() as lock:
                await lock_writers_exclusive(lock)
                rows = await addresses.delete_addresses(session, candidates)
            await addresses.restore_visited_addresses(session, rows)
