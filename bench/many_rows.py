"""A database with millions of rows, and Trawl serving them: what benchmarks of pages and exports stand on."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.authenticated_get import prepare, serving, trawl_app
from embedded import open_servers

INDEXES = """
    SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
    FROM pg_index WHERE indrelid = $1::text::regclass AND NOT indisprimary"""


@dataclass(frozen=True, slots=True)
class Served:
    postgres_url: str
    token: str
    port: int
    pid: int


async def fill(postgres_url: str, table: str, statements: Sequence[str], rows: int) -> None:
    """Run the statements, of which those with a parameter get the number of rows.

    The table's indexes are built after them, which takes a quarter of the time.
    """
    begin = time.perf_counter()
    connection = await asyncpg.connect(postgres_url)
    await connection.execute("SET maintenance_work_mem = '512MB'; SET work_mem = '256MB'")
    indexes = await connection.fetch(INDEXES, table)
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    for statement in statements:
        await connection.execute(statement, *([rows] if "$1" in statement else []), timeout=None)
    for index in indexes:
        await connection.execute(index["definition"])
    await connection.execute(f"VACUUM ANALYZE {table}")
    await connection.execute("ANALYZE")
    await connection.close()
    print(f"{rows:,} {table}s made in {time.perf_counter() - begin:.0f} s")


@contextmanager
def many_rows_served(table: str, statements: Sequence[str], rows: int) -> Iterator[Served]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(fill(postgres_url, table, statements, rows))
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the worker's log lines are made, and go nowhere
            port, pid = stack.enter_context(serving(lambda: trawl_app(postgres_url, redis_url, folder)))
            sys.stderr = before
        yield Served(postgres_url, token, port, pid)
