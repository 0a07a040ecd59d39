"""An authenticated GET of one row: Trawl beside a bare Sanic route and FastAPI with the ORM.

All three check a JWT, ask Valkey once and read one row, each in one worker of the same HTTP server; their
turns alternate. Trawl also counts the request, logs it and tags the answer.
"""

import asyncio
import gc
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any, TextIO, cast

from sqlalchemy import insert

from bench.bare_apps import fastapi_app, sanic_app
from clients.geo import Geo
from db.database import Database
from db.migrate import migrate
from db.models import Account, Session, Task
from embedded import open_servers
from main import GARBAGE_THRESHOLDS
from server.supervisor import HttpServer
from service.cache import Cache
from service.columns.store import ColumnStore
from service.deps import Deps, RateLimits
from service.logs.folder import LogFolder
from service.security.tokens import Claims, TokenSettings, encode_token
from telemetry.logs import configure_logging
from transport.app import make_app
from transport.settings import HttpSettings

ACCOUNTS = 1000
CLIENTS = 8
ROUNDS = 7
SECONDS = 1.0  # of each round
TOKENS = TokenSettings("a secret of the benchmarks, over 32 bytes")
UNLIMITED = 10**9  # requests a minute: counted, never refused


def trawl_app(postgres_url: str, redis_url: str, folder: Path, *, views: int = UNLIMITED) -> Any:
    """Make the app; `views` are those that pages may report from one address in a minute."""
    gc.freeze()  # as main.py does
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    configure_logging("INFO", "json")
    database = Database.connect(postgres_url, pool_size=10)
    return make_app(
        Deps(
            db=database,
            replica=database,
            cache=Cache.connect(redis_url),
            tokens=TOKENS,
            logs=LogFolder(file=folder / "logs.txt", folder=folder, zone=UTC),
            geo=Geo.open(),
            limits=RateLimits(UNLIMITED, UNLIMITED, views),
            columns=ColumnStore.under(folder, megabytes=2048),
        ),
        HttpSettings(),
    )


async def prepare(postgres_url: str, redis_url: str) -> str:
    """Make accounts with a task each, and a session of one in PostgreSQL and Valkey; returns its token."""
    await migrate(postgres_url)
    database, cache, now = Database.connect(postgres_url), Cache.connect(redis_url), datetime.now(UTC)
    claims = Claims(
        user_id=ACCOUNTS // 2,
        session_id=uuid.uuid4(),
        token_id=uuid.uuid4(),
        issued_at=now,
        expires_at=now + timedelta(minutes=30),
    )
    logins = [f"user-{number}" for number in range(ACCOUNTS)]
    accounts = [{"login": login, "login_key": login, "password_hash": "x" * 90} for login in logins]
    async with database.transaction() as session:
        await session.execute(insert(Account), accounts)
        text = {"title": "Buy salmon", "description": "Two pieces, fresh."}
        folded = {"title_key": "buy salmon", "search_text": "buy salmon\ntwo pieces, fresh."}
        tasks = [{"account_id": number, **text, **folded} for number in range(1, ACCOUNTS + 1)]
        await session.execute(insert(Task), tasks)
        values = {"id": claims.session_id, "account_id": claims.user_id, "expires_at": claims.expires_at}
        await session.execute(insert(Session).values(values))
    await cache.run("SET", f"bare:caller:{claims.token_id}", str(claims.user_id))
    await cache.close()
    await database.close()
    return encode_token(TOKENS, claims)


@contextmanager
def serving(app: Callable[[], Any]) -> Iterator[tuple[int, int]]:
    """Serve an app in one worker; yields its port and its process."""
    others = set(multiprocessing.active_children())
    with HttpServer("127.0.0.1", 0, 1) as server:
        server.start(app)
        while not server.ready:
            time.sleep(0.05)
            server.watch()
        [worker] = set(multiprocessing.active_children()) - others
        yield server.address[1], cast(int, worker.pid)


async def send(port: int, requests: Iterator[bytes], until: float) -> int:
    """Send one request after the other on one connection; returns how many were answered 200 or 201."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    count = 0
    while time.perf_counter() < until:
        writer.write(next(requests))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith((b"http/1.1 200", b"http/1.1 201")), head
        length = head.partition(b"content-length: ")[2].partition(b"\r")[0]
        await reader.readexactly(int(length))
        count += 1
    writer.close()
    await writer.wait_closed()
    return count


async def measure(
    port: int, pid: int, request: bytes | Iterator[bytes], clients: int = CLIENTS
) -> tuple[float, float]:
    """Return requests a second, and microseconds of the worker's CPU for each.

    :param request: the same one each time, or one after the other
    """
    requests = repeat(request) if isinstance(request, bytes) else request
    begin, cpu = time.perf_counter(), cpu_seconds(pid)
    count = sum(await asyncio.gather(*(send(port, requests, begin + SECONDS) for _ in range(clients))))
    return count / (time.perf_counter() - begin), (cpu_seconds(pid) - cpu) / count * 1e6


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process, as Linux counts it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def report(results: dict[str, list[tuple[float, float]]], out: TextIO) -> None:
    rates = {name: statistics.median(rate for rate, _ in rounds) for name, rounds in results.items()}
    ours = rates["trawl"]
    for name, rounds in results.items():
        spread = f"{min(rounds)[0]:.0f} to {max(rounds)[0]:.0f}"
        cpu = statistics.median(cpu for _, cpu in rounds)
        print(f"{name:12} {rates[name]:6.0f} requests/s ({spread}), {cpu:4.0f} us of CPU each", file=out)
    print(f"trawl / bare sanic: {ours / rates['bare sanic']:.2f} (target: 0.7)", file=out)
    print(f"trawl / fastapi:    {ours / rates['fastapi']:.2f} (target: 2)", file=out)


def main() -> None:
    print("authenticated GET of one row")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = stack.enter_context(open_servers(folder, postgres=True, valkey=True))
        postgres_url, redis_url = str(servers.postgres_url), str(servers.redis_url)
        token = asyncio.run(prepare(postgres_url, redis_url))
        apps: dict[str, Callable[[], Any]] = {
            "trawl": lambda: trawl_app(postgres_url, redis_url, folder),
            "bare sanic": lambda: sanic_app(postgres_url, redis_url, TOKENS.key),
            "fastapi": lambda: fastapi_app(postgres_url, redis_url, TOKENS.key),
        }
        out = sys.stdout
        with Path(os.devnull).open("w") as nowhere:
            sys.stderr, before = nowhere, sys.stderr  # the workers' logs are formatted, then discarded
            workers = {name: stack.enter_context(serving(app)) for name, app in apps.items()}
            sys.stderr = before
        path = f"/tasks/{ACCOUNTS // 2}"  # of the account of the same number
        request = f"GET {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        results: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
        for turn in range(ROUNDS + 1):
            for name, (port, pid) in workers.items():
                result = asyncio.run(measure(port, pid, request))
                if turn:  # the first one warms up
                    results[name].append(result)
        report(results, out)


if __name__ == "__main__":
    main()
