"""Columns of deleted parts. They stay for a while: on a cluster they are read from another node.

A node knows nothing of the moment that the reader sees on the coordinator, where parts are listed.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from asyncpg import Connection

from db.database import Database
from db.locks import DROPPED_PARTS, try_lock
from db.sessions import raw_connection

KEPT_FOR = timedelta(minutes=10)
BATCH = 100  # parts whose columns are deleted in a transaction
POLL_SECONDS = 0.05
PATIENCE = 5.0  # seconds

INSERT = "INSERT INTO dropped_part (token) SELECT unnest(CAST($1 AS uuid[]))"
TAKE = """
    DELETE FROM dropped_part
    WHERE token IN (
        SELECT token FROM dropped_part WHERE dropped_at < now() - CAST($1 AS interval)
        ORDER BY dropped_at LIMIT $2
    )
    RETURNING token
"""
DELETE = tuple(
    f"DELETE FROM {table} WHERE token = ANY($1)"  # noqa: S608 - one of the two names beside it
    for table in ("visit_part_columns", "event_part_columns")
)


async def drop_columns(raw: Connection, tokens: Sequence[uuid.UUID]) -> None:
    """Note that the columns of parts that the transaction deletes can be deleted later."""
    await raw.execute(INSERT, tokens)


async def delete_dropped_columns(db: Database, *, kept_for: timedelta = KEPT_FOR) -> None:
    """Delete the columns of parts that were deleted so long ago that nobody reads them any more."""
    while True:
        async with db.transaction() as session:
            if not await try_lock(session, DROPPED_PARTS):
                return
            raw = await raw_connection(session)
            tokens = [row["token"] for row in await raw.fetch(TAKE, kept_for, BATCH)]
            for statement in DELETE if tokens else ():
                await raw.execute(statement, tokens)
        if len(tokens) < BATCH:
            return


async def select_late_columns(
    db: Database,
    select: Callable[[Connection, Sequence[uuid.UUID]], Awaitable[Mapping[uuid.UUID, Any]]],
    tokens: Sequence[uuid.UUID],
) -> Mapping[uuid.UUID, Any]:
    """Return the columns of parts that a snapshot shows and that came to their node after it was taken.

    A transaction that wrote to several nodes ends on one after the other.

    :raises ConnectionError: they do not come
    """
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while True:
        async with db.raw() as raw:
            columns = await select(raw, tokens)
        if len(columns) == len(tokens):
            return columns
        if asyncio.get_running_loop().time() > deadline:
            raise ConnectionError("a node of the cluster has not ended a transaction")
        await asyncio.sleep(POLL_SECONDS)
