"""Workers of a cluster that are lost while they write: imports go on."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import asyncpg

from bench.shop_log import generate
from db.database import Database
from db.distribution import select_workers
from db.queries.column_reads import PART_ARRAYS as VISITS
from db.queries.event_columns import PART_ARRAYS as EVENTS
from tests.support.citus import needs_cluster, url_of
from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.http_client import Client
from tests.support.processes import patience
from tests.support.two_servers import ended, visits

pytestmark = needs_cluster

LINES = 100_000
LOSSES = 3
SEE_SHARDS = {"citus.override_table_visibility": "off", "citus.enable_manual_changes_to_shards": "on"}
SHARDS = "SELECT oid::regclass FROM pg_class WHERE relkind = 'r' AND relname ~ '^visit_part_columns_[0-9]+$'"
# As a worker that is killed ends its sessions, here those that wait to store columns of parts.
END_WRITERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%visit_part_columns%'
"""


async def test_an_import_goes_on_when_workers_are_lost(
    databases: tuple[str, str], cluster: Command, tmp_path: Path
) -> None:
    (tmp_path / "shop.log").write_text("".join(generate(LINES, 1)))
    process = cluster.start(
        LOGS_DIR=str(tmp_path),
        PORT=str(port := free_port()),
        WORKERS="1",
        ADMIN_LOGIN="root",
        ADMIN_PASSWORD=PASSWORD,
        LOG_LEVEL="CRITICAL",
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await asyncio.to_thread(wait_until_ready, url, process)
        async with aiohttp.ClientSession(url) as session:
            answer = await Client(session).post("/login", json={"login": "root", "password": PASSWORD})
            client = Client(session, answer.json["access_token"])
            async with locked_workers(databases[1]) as workers:
                started = await client.get("/parse?file=shop.log&wait=0")
                await lose_sessions(workers)
            record = await ended(client, started.json["id"])
            assert (record["status"], record["imported"], record["duplicates"]) == ("done", LINES, 0)
            assert await visits(client) == LINES
    finally:
        process.terminate()
        await asyncio.to_thread(process.communicate, timeout=patience())


@asynccontextmanager
async def locked_workers(url: str) -> AsyncIterator[list[asyncpg.Connection]]:
    """Have all that store columns of parts wait; yield a connection to each worker."""
    coordinator = await asyncpg.connect(url)
    name, user = url.rpartition("/")[2], await coordinator.fetchval("SELECT current_user")
    addresses = [url_of(worker, user, name) for worker in await select_workers(coordinator)]
    await coordinator.close()
    workers = [await asyncpg.connect(address, server_settings=SEE_SHARDS) for address in addresses]
    async with AsyncExitStack() as stack:
        for worker in workers:
            stack.push_async_callback(worker.close)
            await stack.enter_async_context(worker.transaction())
            for shard in await worker.fetch(SHARDS):
                await worker.execute(f"LOCK TABLE {shard[0]} IN SHARE MODE")
        yield workers


async def lose_sessions(workers: list[asyncpg.Connection]) -> None:
    """End the sessions that wait to store columns, until so many have ended."""
    losses, end = 0, time.monotonic() + patience()
    while losses < LOSSES:
        assert time.monotonic() < end
        for worker in workers:
            await worker.execute("SELECT pg_stat_clear_snapshot()")  # a transaction sees its first look
            losses += await worker.fetchval(END_WRITERS)
        await asyncio.sleep(0.05)


async def test_citus_hides_no_shards_from_look_ups_of_the_driver(databases: tuple[str, str]) -> None:
    """They cost the coordinator 0.7 s of CPU a connection else."""
    db = Database.connect(databases[1])
    async with db.raw() as raw:
        assert await raw.fetchval("SHOW citus.override_table_visibility") == "off"
    await db.close()


async def test_a_part_is_asked_of_one_shard_and_counted_nowhere(databases: tuple[str, str]) -> None:
    """No pairs of a group and an address cross the coordinator: servers count what they have decoded."""
    db = Database.connect(databases[1])
    async with db.raw() as raw:
        for query in (VISITS, EVENTS):
            plan = "\n".join(row[0] for row in await raw.fetch(f"EXPLAIN {query}", [uuid.uuid4()]))
            assert "Task Count: 1\n" in plan
            assert "Aggregate" not in plan
    await db.close()
