"""A database with millions of rows, and Trawl serving them: what benchmarks of pages and exports stand on."""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncSession

from bench.authenticated_get import prepare, serving, trawl_app
from db.engine import create_engine
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


async def explain(url: str, queries: Callable[[AsyncSession], Mapping[str, Awaitable[Any]]]) -> str:
    """What PostgreSQL does for each statement of each query, and how long it takes."""
    engine, parts = create_engine(url, pool_size=1), []
    ran: list[tuple[str, Any]] = []
    event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, _context, _many: ran.append(
            (statement, parameters)
        ),
    )
    async with AsyncSession(engine) as session:
        for name, query in queries(session).items():
            ran.clear()
            await query
            connection = await session.connection()
            for statement, parameters in [one for one in ran if " FROM " in one[0].replace("\n", " ")]:
                plan = await connection.exec_driver_sql(
                    f"EXPLAIN (ANALYZE, COSTS OFF) {statement}", parameters
                )
                parts.append(f"== {name}\n" + "\n".join(row[0] for row in plan))
    await engine.dispose()
    return "\n\n".join(parts) + "\n"
