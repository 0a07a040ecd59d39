"""Databases for tests: one that undoes what a test wrote, and one that a test has for itself."""

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from db.database import Database
from db.engine import create_engine
from db.migrate import migrate
from embedded import EmbeddedServers, open_servers
from tests.support.one_at_a_time import OneAtATime
from tests.support.own_database import OwnDatabase, OwnPool
from tests.support.processes import PATIENCE


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of PostgreSQL and Valkey: those of the settings if given, else embedded ones."""
    postgres_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    data_dir = tmp_path_factory.mktemp("servers")
    postgres, valkey = not postgres_url, not redis_url
    with open_servers(data_dir, postgres=postgres, valkey=valkey, wait=PATIENCE) as embedded:
        postgres_url = postgres_url or prepare_for_tests(embedded)
        redis_url = redis_url or embedded.redis_url
        assert redis_url is not None
        yield postgres_url, redis_url


def prepare_for_tests(embedded: EmbeddedServers) -> str:
    """The embedded PostgreSQL's address, whose role may from now on make the databases of tests."""
    assert embedded.postgres_url is not None
    superuser = embedded.postgres_url.replace("//trawl@", "//postgres@", 1)
    for statement in (
        "ALTER ROLE trawl CREATEDB",
        "GRANT pg_signal_backend TO trawl",  # to drop them also while autovacuum is in one
        # Nobody kills this server; those of tests that do have servers of their own.
        "ALTER SYSTEM SET fsync = off",
        "ALTER SYSTEM SET full_page_writes = off",  # after each checkpoint, which a copy of a database makes
        "SELECT pg_reload_conf()",
    ):
        asyncio.run(on_server(superuser, statement))
    return embedded.postgres_url


def with_database(url: str, name: str) -> str:
    """The same server's address, of another database."""
    head, _, rest = url.partition("://")
    authority, _, tail = rest.partition("/")
    _, mark, options = tail.partition("?")
    return f"{head}://{authority}/{name}{mark}{options}"


async def on_server(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def template(servers: tuple[str, str]) -> AsyncIterator[str]:
    """The name of a migrated database that others are copied from."""
    postgres_url, _ = servers
    name = f"template_{secrets.token_hex(6)}"
    await on_server(postgres_url, f"CREATE DATABASE {name}")
    await migrate(with_database(postgres_url, name))
    yield name
    await on_server(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def database_url(servers: tuple[str, str], template: str) -> AsyncIterator[str]:
    """A migrated database that the tests of a session share; each undoes what it wrote."""
    postgres_url, _ = servers
    name = f"shared_{secrets.token_hex(6)}"
    await on_server(postgres_url, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield with_database(postgres_url, name)
    await on_server(postgres_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
async def shared_engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """One engine for `db` of all tests: each of its own would compile every statement anew."""
    engine = create_engine(database_url, pool_size=1)
    yield engine
    await engine.dispose()


@pytest.fixture
async def db(shared_engine: AsyncEngine) -> AsyncIterator[Database]:
    """A database whose every change is undone after the test. One connection: nothing at once."""
    async with shared_engine.connect() as connection:
        await connection.begin()
        yield OneAtATime(connection)
        await connection.rollback()


@pytest.fixture(scope="session")
async def own_copy(servers: tuple[str, str], template: str) -> AsyncIterator[OwnDatabase]:
    """The database that each test with `committed_url` has for itself."""
    postgres_url, name = servers[0], f"own_{secrets.token_hex(6)}"
    copy = OwnDatabase(postgres_url, with_database(postgres_url, name), name, template)
    yield copy
    await copy.drop()


@pytest.fixture(scope="session")
async def own_pool(own_copy: OwnDatabase) -> AsyncIterator[OwnPool]:
    """The pool of `committed_db`: its statements are compiled and prepared once."""
    pool = OwnPool(Database.connect(f"{own_copy.url}&connect_timeout={PATIENCE:.0f}", pool_size=10))
    yield pool
    await pool.database.close()


@pytest.fixture
async def committed_url(
    own_copy: OwnDatabase, own_pool: OwnPool, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """A migrated database of this test alone, emptied or dropped afterwards."""
    if "committed_db" not in request.fixturenames:
        await own_pool.database.close()  # it may count who is connected
    await own_copy.prepare()
    yield own_copy.url
    await own_copy.empty(await own_pool.rest())


@pytest.fixture
async def committed_db(committed_url: str, own_pool: OwnPool) -> Database:
    """A database that really commits, with a pool: for tests of what happens at once."""
    return own_pool.database
