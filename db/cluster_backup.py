"""What a backup of a cluster needs: pg_dump sees one moment of the coordinator, and reads workers later.

So columns of parts that are deleted meanwhile must stay. After a restoration, columns of parts that came
meanwhile are deleted, and those of events are made anew if they do not match the events.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from db.database import Database
from db.locks import DROPPED_PARTS, lock_job
from db.sessions import raw_connection

DELETE_NEWER = """
    DELETE FROM visit_part_columns
    WHERE
        token NOT IN (SELECT token FROM visit_part)
        AND token NOT IN (SELECT token FROM dropped_part)
"""
EVENTS_FIT = """
    SELECT
        (SELECT count(*) FROM event)
        = (SELECT coalesce(sum(events), 0) FROM event_batch)
        + (SELECT coalesce(sum(events), 0) FROM event_part)
"""
TRUNCATE_EVENTS = "TRUNCATE event_batch, event_part, event_part_columns"
# As many in a batch as a merge takes at least.
READ_EVENTS = """
    INSERT INTO event_batch (first_at, events, occurred, user_id, event_type)
    SELECT min(occurred_at), count(*), array_agg(occurred_at), array_agg(user_id), array_agg(event_type)
    FROM (
        SELECT
            occurred_at, user_id, event_type,
            (row_number() OVER (ORDER BY occurred_at) - 1) / 50000 AS number
        FROM event
    ) AS stored
    GROUP BY number
    ORDER BY number
"""


@asynccontextmanager
async def dropped_parts_kept(database: Database) -> AsyncIterator[None]:
    """Keep all columns of deleted parts until the end of the block."""
    async with database.dedicated() as session:
        await lock_job(session, DROPPED_PARTS)
        yield


async def repair_columns(database: Database) -> None:
    """Make the tables of columns fit the restored parts and events. Tables are not spread yet."""
    async with database.dedicated() as session:
        raw = await raw_connection(session)
        await raw.execute(DELETE_NEWER)
        if not await raw.fetchval(EVENTS_FIT):
            await raw.execute(TRUNCATE_EVENTS)
            await raw.execute(READ_EVENTS)
