"""A database with millions of rows, and Trawl that serves them, for benchmarks of pages and exports."""

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
    """Trawl in one worker, and a token for it."""

    postgres_url: str
    token: str
    port: int
    pid: int


async def fill(postgres_url: str, table: str, statements: Sequence[str], rows: int) -> None:
    """Run the statements; a parameter in them is the number of rows.

    The indexes of the table are built afterwards, which takes a quarter of the time.
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
def serve_many_rows(table: str, statements: Sequence[str], rows: int) -> Iterator[Served]:
    """Fill a table and serve it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        asyncio.run(fill(postgres_url, table, statements, rows))
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the worker's log is formatted, then discarded
            port, pid = stack.enter_context(serving(lambda: trawl_app(postgres_url, redis_url, folder)))
            sys.stderr = before
        yield Served(postgres_url, token, port, pid)


async def explain(url: str, queries: Callable[[AsyncSession], Mapping[str, Awaitable[Any]]]) -> str:
    """Return the plans of all statements of each query, with their times."""
    engine, parts = create_engine(url, pool_size=1), []
    executed: list[tuple[str, Any]] = []
    event.listen(
        engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, parameters, _context, _many: executed.append(
            (statement, parameters)
        ),
    )
    async with AsyncSession(engine) as session:
        for name, query in queries(session).items():
            executed.clear()
            await query
            connection = await session.connection()
            for statement, parameters in [one for one in executed if " FROM " in one[0].replace("\n", " ")]:
                plan = await connection.exec_driver_sql(
                    f"EXPLAIN (ANALYZE, COSTS OFF) {statement}", parameters
                )
                parts.append(f"== {name}\n" + "\n".join(row[0] for row in plan))
    await engine.dispose()
    return "\n\n".join(parts) + "\n"
