"""Real servers for all tests: PostgreSQL, Valkey, and the application over HTTP."""

import asyncio
import os
import secrets
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import asyncpg
import pytest
import structlog
from hypothesis import settings
from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from clients.geo import Geo
from db.database import Database
from db.engine import create_engine
from db.migrate import migrate
from db.models import Account, Session
from embedded import EmbeddedServers, open_servers
from service.bounds.shared_result import SharedResult
from service.cache import Cache, CacheTimes
from service.columns.store import ColumnStore
from service.deps import Deps, RateLimits
from service.logs.folder import LogFolder
from service.security.passwords import Hasher
from service.security.tokens import Claims, TokenSettings, encode_token
from tests.support.command_line import Command
from tests.support.distribution import (  # noqa: F401 - pytest looks for its hooks here
    pytest_collection_modifyitems,
    pytest_xdist_auto_num_workers,
)
from tests.support.document_checks import mismatches
from tests.support.http_client import Client, User
from tests.support.http_server import SECRET, RunningApp, make_unserved_app, serve
from tests.support.kinopoisk import FakeKinopoisk, play_kinopoisk
from tests.support.one_at_a_time import OneAtATime

PASSWORD = "correct horse battery"
FAST = 4  # log2 of scrypt's N in tests

# How long an example takes tells of the machine only.
settings.register_profile("trawl", deadline=None)
settings.load_profile("trawl")

# Logs go where pytest shows them for a test that failed.
structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.format_exc_info,
        structlog.processors.KeyValueRenderer(key_order=["event"]),
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
)


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Addresses of PostgreSQL and Valkey: those of the settings if given, else embedded ones."""
    postgres_url, redis_url = os.environ.get("DATABASE_URL"), os.environ.get("REDIS_URL")
    data_dir = tmp_path_factory.mktemp("servers")
    with open_servers(data_dir, postgres=not postgres_url, valkey=not redis_url) as embedded:
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
def own_name() -> str:
    """The name of the database that each test with `committed_url` has for itself."""
    return f"own_{secrets.token_hex(6)}"


@pytest.fixture
async def committed_url(servers: tuple[str, str], template: str, own_name: str) -> AsyncIterator[str]:
    """A migrated database of this test alone, dropped afterwards."""
    postgres_url, _ = servers
    await on_server(postgres_url, f"CREATE DATABASE {own_name} TEMPLATE {template} STRATEGY file_copy")
    yield with_database(postgres_url, own_name)
    await on_server(postgres_url, f"DROP DATABASE {own_name} WITH (FORCE)")


@pytest.fixture(scope="session")
def own_database(servers: tuple[str, str], own_name: str) -> Database:
    """The pool of `committed_db`, empty between tests: its statements are compiled once."""
    return Database.connect(with_database(servers[0], own_name), pool_size=10)


@pytest.fixture
async def committed_db(committed_url: str, own_database: Database) -> AsyncIterator[Database]:
    """A database that really commits, with a pool: for tests of what happens at once."""
    yield own_database
    await own_database.close()


@pytest.fixture(scope="session")
async def shared_cache(servers: tuple[str, str]) -> AsyncIterator[Cache]:
    # On a busy machine a Valkey may be silent for seconds, and is not away.
    cache = Cache.connect(servers[1], times=CacheTimes(stall_ticks=1000))
    yield cache
    await cache.close()


@pytest.fixture
async def cache(shared_cache: Cache) -> Cache:
    """An empty Valkey."""
    await shared_cache.run("FLUSHALL")
    return shared_cache


@pytest.fixture(scope="session")
def geo() -> Geo:
    """The offline country data."""
    return Geo.open()


@pytest.fixture
def store(tmp_path: Path) -> ColumnStore:
    """What reads columns, with files of this test's own."""
    return ColumnStore.under(tmp_path, megabytes=100)


@pytest.fixture
async def deps(
    db: Database, cache: Cache, geo: Geo, tmp_path: Path, store: ColumnStore
) -> AsyncIterator[Deps]:
    """Everything that the application stands on, without rate limits."""
    deps = Deps(
        health=SharedResult(fresh_for=0),
        db=db,
        replica=db,
        cache=cache,
        tokens=TokenSettings(SECRET),
        logs=LogFolder(file=tmp_path / "logs.txt", folder=tmp_path, zone=UTC),
        geo=geo,
        hasher=Hasher(log_n=FAST),
        columns=store,
        limits=RateLimits(default=0, ingest=0),
        version="test",
    )
    yield deps
    await deps.background.close()


@pytest.fixture(scope="session")
async def running_app() -> AsyncIterator[RunningApp]:
    """The application behind the real HTTP server; `server` gives it a test's dependencies."""
    async with serve(make_unserved_app(optimised=True)) as running:
        yield running


@pytest.fixture
def server(running_app: RunningApp, deps: Deps) -> RunningApp:
    """The application on this test's dependencies."""
    running_app.use(deps)
    return running_app


@pytest.fixture(autouse=True)
def requests_fit_the_document() -> Iterator[None]:
    """Assert that the requests and responses of a test fit the OpenAPI document."""
    mismatches.clear()
    yield
    assert mismatches == []


@pytest.fixture
async def client(server: RunningApp) -> AsyncIterator[Client]:
    """Somebody who has not signed in."""
    async with aiohttp.ClientSession(server.url) as session:
        yield Client(session)


AddUser = Callable[..., Awaitable[User]]


async def add_account(deps: Deps, login: str, *, role: str = "user") -> int:
    phc = await deps.hasher.hash(PASSWORD, salt=b"0123456789abcdef")
    async with deps.db.transaction() as session:
        values = {"login": login, "login_key": login.casefold(), "role": role, "password_hash": phc}
        added = await session.scalars(insert(Account).values(values).returning(Account.id))
        return added.one()


async def add_session(deps: Deps, account_id: int) -> tuple[uuid.UUID, str]:
    """A live session of an account, and its token."""
    now = datetime.now(UTC)
    claims = Claims(
        user_id=account_id,
        session_id=uuid.uuid4(),
        token_id=uuid.uuid4(),
        issued_at=now,
        expires_at=now + timedelta(minutes=30),
    )
    values = {"id": claims.session_id, "account_id": account_id, "expires_at": claims.expires_at}
    async with deps.db.transaction() as session:
        await session.execute(insert(Session).values(values))
    return claims.session_id, encode_token(deps.tokens, claims)


@pytest.fixture
def add_user(deps: Deps, client: Client) -> AddUser:
    """Makes accounts that are signed in; their password is PASSWORD."""

    async def add(login: str, *, role: str = "user") -> User:
        account_id = await add_account(deps, login, role=role)
        session_id, token = await add_session(deps, account_id)
        return User(account_id, login, token, session_id, client.signed_in(token))

    return add


@pytest.fixture
async def noise(deps: Deps) -> None:
    """Rows of others, so that a missing WHERE shows."""
    for login in ("noise-1", "noise-2"):
        account_id = await add_account(deps, login)
        await add_session(deps, account_id)


@pytest.fixture
async def user(add_user: AddUser, noise: None) -> User:
    return await add_user("Anna")


@pytest.fixture
async def other_user(add_user: AddUser, noise: None) -> User:
    return await add_user("Boris")


@pytest.fixture
async def admin(add_user: AddUser, noise: None) -> User:
    return await add_user("Root", role="admin")


@pytest.fixture
async def kinopoisk() -> AsyncIterator[FakeKinopoisk]:
    """Kinopoisk's stand-in, slow and broken on demand."""
    async with play_kinopoisk() as fake:
        yield fake


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A DATA_DIR whose sockets' paths fit into 107 bytes."""
    path = Path(tempfile.mkdtemp(prefix="trawl-", dir="/tmp"))
    path.chmod(0o755)
    yield path / "var"
    shutil.rmtree(path)


@pytest.fixture
def trawl(committed_url: str, servers: tuple[str, str], cache: Cache, short_dir: Path) -> Command:
    """The command line on the tests' servers, with a database of its own and an empty Valkey.

    Users of other tests have the same ids, and their requests may have been counted a moment ago.
    """
    return Command({"DATABASE_URL": committed_url, "REDIS_URL": servers[1], "DATA_DIR": str(short_dir)})
