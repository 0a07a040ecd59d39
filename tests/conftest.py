"""Real servers for all tests: PostgreSQL, Valkey, and the application over HTTP."""

import asyncio
import gc
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from datetime import UTC
from pathlib import Path

import aiohttp
import pytest
import structlog
import uvloop
from hypothesis import settings

from clients.geo import Geo
from db.database import Database
from service.bounds.shared_result import SharedResult
from service.cache import Cache, CacheTimes
from service.columns.store import ColumnStore
from service.deps import Deps, RateLimits
from service.logs.folder import LogFolder
from service.security.passwords import Hasher
from service.security.tokens import TokenSettings
from tests.support import examples  # noqa: F401 - it registers the profiles
from tests.support.command_line import Command
from tests.support.document_checks import mismatches
from tests.support.eventually import eventually
from tests.support.http_client import Client
from tests.support.http_server import SECRET, RunningApp, make_unserved_app, serve
from tests.support.kinopoisk import FakeKinopoisk, play_kinopoisk

pytest_plugins = ("tests.support.databases", "tests.support.accounts", "tests.support.distribution")
FAST = 4  # log2 of scrypt's N in tests

# What a script runs in its background has SIGINT ignored, and so would the servers that tests stop by it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile("everyday")

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


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests without looking for garbage, and never look at what was imported again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session")
def _asyncio_loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    """Run tests on the event loop of production.

    A hook of pytest-asyncio would do so too, but as a parameter of asynchronous tests: session fixtures would
    end at each test that is none.
    """
    return uvloop.new_event_loop


@pytest.fixture(scope="session")
async def shared_cache(servers: tuple[str, str]) -> AsyncIterator[Cache]:
    # On a busy machine a Valkey may be silent for seconds, and is not away.
    cache = Cache.connect(servers[1], times=CacheTimes(stall_ticks=1000))
    yield cache
    await cache.close()


@pytest.fixture
async def cache(shared_cache: Cache) -> Cache:
    """An empty Valkey, which answers again if a test before has seen it away."""
    await eventually(shared_cache.ping)
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


@pytest.fixture
def front_url(server: RunningApp) -> str:
    """Where requests that are written byte by byte go: the server, or what stands before it."""
    return server.url


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
