"""A database that tests have for themselves one after the other: emptied between them, not made anew.

To copy and drop one costs 160 ms of CPU, to empty one 10: of few rows DELETE takes a tenth of TRUNCATE. A new
connection takes 13 ms to read the catalogs, and more to prepare its statements, so that this one and those of
the tests' pool are kept. Whatever more than rows has changed, and whatever fails, makes the next test's
database a new one.
"""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import QueuePool

from db.database import Database
from db.models import Base

# All that a test may have changed beside rows. `xmin` shows rows of a catalog that were updated, and TRUNCATE
# updates pg_class alone. The schema of temporary tables stays when they have gone.
SCHEMA = """
    SELECT array[
        (SELECT md5(string_agg(concat_ws(' ', oid, relname, relkind, relowner, relacl, reloptions), ','
                               ORDER BY oid))
         FROM pg_class WHERE relnamespace = 'public'::regnamespace),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_attribute),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_constraint),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_namespace
         WHERE nspname !~ '^pg_(toast_)?temp_'),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_proc),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_rewrite),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_trigger),
        (SELECT concat_ws(' ', count(*), max(xmin::text::bigint)) FROM pg_type),
        (SELECT string_agg(setconfig::text, ',') FROM pg_db_role_setting),
        (SELECT concat_ws(' ', datallowconn, datconnlimit, datacl) FROM pg_database
         WHERE datname = current_database()),
        (SELECT count(*)::text FROM pg_stats WHERE schemaname = 'public')
    ]"""
END_OTHERS = """
    SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
        AND pid <> ALL($1::int[])"""
FILLED = """
    SELECT relname, pg_relation_size(oid) AS size FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0"""
SEQUENCES = """
    SELECT setval(format('%I', sequencename)::regclass, start_value, false) FROM pg_sequences
    WHERE schemaname = 'public' AND last_value IS NOT NULL"""
SMALL = 64 * 1024  # bytes of a table up to which its rows are deleted; what is gone takes room, too
# Those that refer to others first.
TABLES = [table.name for table in reversed(Base.metadata.sorted_tables)]


@dataclass
class OwnDatabase:
    """A copy of the template `template`, for one test at a time.

    :param server: the address of a database of the server that may make others
    """

    server: str
    url: str
    name: str
    template: str
    _schema: list[str | None] | None = field(default=None, init=False)  # None while it must be made anew
    _rows: dict[str, str] = field(
        default_factory=dict, init=False
    )  # digests of the tables that the template fills
    _connection: asyncpg.Connection | None = field(default=None, init=False)  # that empties it

    async def prepare(self) -> None:
        """Make it, unless it is as the template is."""
        if self._schema is None:
            async with connection_to(self.server) as connection:
                await connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
                await connection.execute(
                    f"CREATE DATABASE {self.name} TEMPLATE {self.template} STRATEGY file_copy"
                )
            connection = await self._connect()
            self._rows = {table: await digest(connection, table) for table in await filled(connection)}
            self._schema = await connection.fetchval(SCHEMA)

    async def empty(self, spared: Iterable[asyncpg.Connection] = ()) -> None:
        """Undo what a test wrote; where that can't be done, the next test gets a new one.

        :param spared: connections that nobody uses; all others are ended
        """
        schema, self._schema = self._schema, None
        try:
            connection = await self._connect()
            await connection.fetch(END_OTHERS, [each.get_server_pid() for each in spared])
            if await connection.fetchval(SCHEMA) == schema and await self._restore(connection):
                self._schema = schema
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return
        finally:
            if self._schema is None:
                await self._disconnect()

    async def drop(self) -> None:
        await self._disconnect()
        async with connection_to(self.server) as connection:
            await connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    async def _connect(self) -> asyncpg.Connection:
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self.url)
        return self._connection

    async def _disconnect(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._connection = None

    async def _restore(self, connection: asyncpg.Connection) -> bool:
        """Empty the tables that the template has empty; returns False if the others have other rows."""
        sizes = await filled(connection)
        if {table: await digest(connection, table) for table in sizes if table in self._rows} != self._rows:
            return False
        small = [table for table in TABLES if 0 < sizes.get(table, 0) <= SMALL and table not in self._rows]
        large = [f'"{table}"' for table in sizes if table not in (*small, *self._rows)]
        if large:
            await connection.execute(f"TRUNCATE {', '.join(large)} CASCADE")
        if small:
            await connection.execute("; ".join(f'DELETE FROM "{table}"' for table in small))
        await connection.fetch(SEQUENCES)
        return True


@dataclass(frozen=True)
class OwnPool:
    """The pool of the database that tests have for themselves."""

    database: Database

    async def rest(self) -> list[asyncpg.Connection]:
        """Return the connections, as they were when they were opened; none if a test has left one in use."""
        engine, watch = self.database.bind, self.database._watch
        assert isinstance(engine, AsyncEngine)
        assert isinstance(engine.pool, QueuePool)
        assert watch is not None
        await watch.close()
        kept: list[asyncpg.Connection] = [each for each in watch._connections if not each.is_closed()]
        if len(kept) != engine.pool.checkedin() or engine.pool.checkedout():
            await self.database.close()
            return []
        for each in kept:
            await each.reset()
        return kept


@asynccontextmanager
async def connection_to(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


async def filled(connection: asyncpg.Connection) -> dict[str, int]:
    """Return the tables that have, or had, rows, and their sizes in bytes."""
    return {row["relname"]: row["size"] for row in await connection.fetch(FILLED)}


async def digest(connection: asyncpg.Connection, table: str) -> str:
    statement = f"""SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM "{table}" AS t"""
    text: str = await connection.fetchval(statement)
    return text
