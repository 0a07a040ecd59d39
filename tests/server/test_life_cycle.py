"""What a server survives, and in which time: its workers, PostgreSQL or Valkey die while it serves."""

import asyncio
import os
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Container, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count
from pathlib import Path

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.http_client import Answer, Client
from tests.support.own_servers import OwnServer, own_servers
from tests.support.processes import comes_true
from tests.support.served import Site, get

INGEST_LIMIT = 20
WORKERS = 2


@dataclass(frozen=True)
class Stand(Site):
    """A server of two workers on a PostgreSQL and a Valkey that can be ended."""

    postgres: OwnServer
    valkey: OwnServer
    client: Client

    async def sign_in(self, login: str) -> Client:
        await self.client.post("/register", json={"login": login, "password": PASSWORD})
        return await self.sign_in_again(login)

    async def sign_in_again(self, login: str) -> Client:
        answer = await self.client.post("/login", json={"login": login, "password": PASSWORD})
        return self.client.signed_in(answer.json["access_token"])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="trawl-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
async def stand(folder: Path) -> AsyncIterator[Stand]:
    with own_servers(folder / "servers") as (postgres, valkey):
        await asyncio.gather(postgres.start(), valkey.start())
        command = Command({"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url})
        process = command.start(
            DATA_DIR=str(folder / "var"),
            PORT=str(port := free_port()),
            WORKERS=str(WORKERS),
            RATE_LIMIT_PER_MINUTE="0",
            INGEST_RATE_LIMIT_PER_MINUTE=str(INGEST_LIMIT),
            LOG_LEVEL="CRITICAL",  # nobody reads what an outage makes it write
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await asyncio.to_thread(wait_until_ready, url)
            async with aiohttp.ClientSession(url, connector=aiohttp.TCPConnector(limit=0)) as session:
                yield Stand(url, process, postgres, valkey, Client(session))
        finally:
            process.terminate()
            await asyncio.to_thread(process.communicate, timeout=20)


@pytest.mark.parametrize("deaths", [1, 4])
def test_all_workers_killed_serve_again_within_two_seconds_and_are_whole_within_three(
    stand: Stand, deaths: int
) -> None:
    dead: set[int] = set()
    for _ in range(deaths):
        assert comes_true(lambda: set(stand.workers()) - dead, 2)
        for pid in set(stand.workers()) - dead:
            os.kill(pid, signal.SIGKILL)
            dead.add(pid)
    died = time.monotonic()
    assert comes_true(lambda: serves(stand), 2)
    assert comes_true(lambda: is_whole(stand, dead), 3 - (time.monotonic() - died))


def serves(site: Site) -> bool:
    try:
        return '"ok"' in get(f"{site.url}/")
    except (OSError, HTTPException):
        return False


def is_whole(site: Site, dead: set[int]) -> bool:
    alive = set(site.workers())
    return len(alive) == WORKERS and not alive & dead and site.samples("trawl_workers") == {"": WORKERS}


@dataclass
class Load:
    """Clients that ask for what needs the database, without end."""

    client: Client
    answers: list[tuple[float, Answer]] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)

    async def ask(self, number: int) -> None:
        for turn in count():
            title, choice = f"task {number} {turn}", (number + turn) % 5
            if choice == 0:
                answer = await self.client.post("/tasks", json={"title": title})
            else:
                paths = ("/tasks?limit=3", "/profile", "/pages/some", "/report/1")
                answer = await self.client.get(paths[choice - 1])
            self.answers.append((time.monotonic(), answer))
            if answer.status == 201:
                self.titles.add(title)
            await asyncio.sleep(0.02)

    async def success_after(self, moment: float, statuses: Container[int] = range(400)) -> float:
        """When the first such answer came; unless said, one that is no 503."""
        found: list[float] = []
        async with asyncio.timeout(10):
            while not found:
                await asyncio.sleep(0.01)
                found = [at for at, answer in self.answers if at > moment and answer.status in statuses]
        return found[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_a_postgresql_that_is_away_is_told_by_503_and_found_within_two_seconds_of_its_return(
    stand: Stand, number: signal.Signals
) -> None:
    load = Load(await stand.sign_in(f"anna {number.name}"))
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(load.ask(each)) for each in range(5)]
        await load.success_after(time.monotonic(), {201})
        await stand.postgres.end(number)
        await asyncio.sleep(0.5)
        await stand.postgres.start()
        returned = time.monotonic()
        assert await load.success_after(returned) < returned + 2
        await load.success_after(returned, {201})
        for task in asking:
            task.cancel()
    assert {answer.status for _, answer in load.answers} == {200, 201, 503}
    assert all("Retry-After" in answer.headers for _, answer in load.answers if answer.status == 503)
    stored = await load.client.get("/tasks?limit=1000")
    assert load.titles <= {task["title"] for task in stored.json["items"]}


async def test_a_valkey_that_is_dead_costs_little_opens_nothing_and_loses_nothing(stand: Stand) -> None:
    boris = await stand.sign_in("boris")
    before, during = await stand.sign_in_again("boris"), await stand.sign_in_again("boris")
    assert (await before.post("/logout")).status == 204
    alive = await medians(boris)
    await stand.valkey.end(signal.SIGKILL)
    try:
        assert all(took < alive[path] + 0.05 for path, took in (await medians(boris)).items())
        assert (await during.post("/logout")).status == 204
        for signed_out in (before, during):
            answers = await asyncio.gather(*(signed_out.get("/profile") for _ in range(10)))
            assert {answer.status for answer in answers} == {401}
        visits = [boris.post("/visits", json={"page_url": "/a/"}) for _ in range(WORKERS * INGEST_LIMIT + 10)]
        statuses = Counter(answer.status for answer in await asyncio.gather(*visits))
        assert statuses.keys() == {201, 429}
        assert INGEST_LIMIT <= statuses[201] <= WORKERS * INGEST_LIMIT
    finally:
        await stand.valkey.start()
    me = (await boris.get("/profile")).json["id"]
    stored = await boris.get(f"/visits?user_id={me}&limit=1000")
    assert len(stored.json["items"]) == statuses[201]
    assert await asyncio.to_thread(comes_true, lambda: serves_whole(stand), 3)


async def medians(client: Client) -> dict[str, float]:
    """Seconds that a request takes."""
    asked: dict[str, Callable[[], Awaitable[Answer]]] = {
        "GET /profile": lambda: client.get("/profile"),
        "GET /report/1": lambda: client.get("/report/1"),
        "POST /tasks": lambda: client.post("/tasks", json={"title": "a task"}),
    }
    return {name: statistics.median([await timed(ask) for _ in range(15)]) for name, ask in asked.items()}


async def timed(ask: Callable[[], Awaitable[Answer]]) -> float:
    begun = time.perf_counter()
    assert (await ask()).status < 300
    return time.perf_counter() - begun


def serves_whole(site: Site) -> bool:
    """Whether all that it stands on is there."""
    try:
        return '"ok"' in get(f"{site.url}/ready")
    except OSError:
        return False
