"""A database with many events, and Trawl serving them: what the benchmarks of pages and exports stand on."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.authenticated_get import prepare, serving, trawl_app
from embedded import open_servers

EVENTS = int(os.environ.get("BENCH_EVENTS", "5000000"))
# 90 days, 20 types of which the first have most, and a hundred thousand users.
INSERT = """
INSERT INTO event (event_id, user_id, event_type, occurred_at, properties)
SELECT
    gen_random_uuid(),
    (random() * random() * 100000)::bigint,
    'type_' || (random() * random() * 20)::int,
    timestamptz '2026-01-01 00:00Z' + random() * interval '90 days',
    jsonb_build_object(
        'plan', (ARRAY['free', 'pro', 'team'])[1 + (random() * 2)::int],
        'amount', (random() * 1000)::int,
        'page', '/p/' || (random() * 500)::int,
        'order', number
    )
FROM generate_series(1, $1::int) AS number
"""
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'event' AND indexname NOT LIKE 'pk%'"


@dataclass(frozen=True, slots=True)
class Served:
    postgres_url: str
    token: str
    port: int
    pid: int


async def fill(postgres_url: str) -> None:
    """Make the events; the indexes are built after them, which takes a quarter of the time."""
    begin = time.perf_counter()
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("SET maintenance_work_mem = '512MB'")
    indexes = await connection.fetch(INDEXES)
    for name, _ in indexes:
        await connection.execute(f"DROP INDEX {name}")
    await connection.execute(INSERT, EVENTS)
    for _, definition in indexes:
        await connection.execute(definition)
    await connection.execute("VACUUM ANALYZE event")
    await connection.close()
    print(f"{EVENTS:,} events made in {time.perf_counter() - begin:.0f} s")


@contextmanager
def many_events_served() -> Iterator[Served]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(fill(postgres_url))
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the worker's log lines are made, and go nowhere
            port, pid = stack.enter_context(serving(lambda: trawl_app(postgres_url, redis_url, folder)))
            sys.stderr = before
        yield Served(postgres_url, token, port, pid)
