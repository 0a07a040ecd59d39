"""Workers of a cluster that take connections and say nothing."""

import asyncio
from contextlib import AsyncExitStack

from sqlalchemy import text

from db.database import Database
from db.distribution import select_workers
from db.health import read_workers
from tests.support.citus import needs_cluster
from tests.support.processes import patience

pytestmark = needs_cluster

ASKING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE
        datname = current_database() AND state = 'active' AND pid <> pg_backend_pid()
        AND query LIKE '%citus_check_connection_to_node%'
"""

MOVE = text("UPDATE pg_dist_node SET nodename = '127.0.0.1', nodeport = :to WHERE nodeport = :port")


async def test_silent_workers_are_asked_at_once(databases: tuple[str, str]) -> None:
    """They say nothing until both are waited for, or the first one has been waited for in vain."""
    db, silence, ports = Database.connect(databases[1]), asyncio.Event(), []

    async def keep_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await silence.wait()
        writer.close()

    async with AsyncExitStack() as stack:
        stack.push_async_callback(db.close)
        async with db.raw() as raw:
            workers = await select_workers(raw)
        for worker in workers[:2]:
            server = await stack.enter_async_context(await asyncio.start_server(keep_silent, "127.0.0.1"))
            ports.append(server.sockets[0].getsockname()[1])
            async with db.transaction() as session:
                await session.execute(MOVE, {"to": ports[-1], "port": worker.port})
        health = asyncio.create_task(read_workers(db, seconds=patience()))
        at_once = 0
        while at_once < 2 and not health.done():
            async with db.raw() as raw:
                at_once = await raw.fetchval(ASKING)
            await asyncio.sleep(0.05)
        silence.set()
        assert [(await health)[f"127.0.0.1:{port}"] for port in ports] == [False, False]
    assert at_once == 2
