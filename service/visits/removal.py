"""Drops addresses that no visit names, after visits were taken away."""

from db.database import Database
from db.locks import lock_writers_exclusive
from db.queries import addresses

ADDRESSES_TOGETHER = 50_000  # at most, at a time


async def drop_unvisited_addresses(db: Database) -> None:
    """Drop addresses that no visit names, without holding up those who store visits meanwhile.

    The writers are shut out only while the rows go: whoever stores a visit of such an address later waits
    for this transaction and puts a row of its own. Visits that came before are looked for at leisure.
    """
    while True:
        async with db.read() as session:
            unvisited = await addresses.select_unvisited_addresses(session, count=ADDRESSES_TOGETHER)
        if not unvisited:
            return
        async with db.transaction() as session:
            async with db.dedicated() as gate:
                await lock_writers_exclusive(gate)
                gone = await addresses.delete_addresses(session, unvisited)
            await addresses.put_back_visited(session, gone)
