"""What a server survives: its workers, PostgreSQL or Valkey die while it serves.

`bench/recovery.py` measures how long it takes.
"""

import asyncio
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Container
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import count

import pytest

from tests.support.command_line import is_ready
from tests.support.http_client import Answer, Client
from tests.support.processes import eventually, send_signal
from tests.support.served import Site
from tests.support.stand import Stand, make_stand

INGEST_LIMIT = 20
WORKERS = 2
CLIENTS = 5
ANSWERS_IN_2_SECONDS = 100  # of a client that pauses for 20 ms; fewer on a busy machine


@pytest.fixture(scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with make_stand(WORKERS=str(WORKERS), INGEST_RATE_LIMIT_PER_MINUTE=str(INGEST_LIMIT)) as made:
        yield made


@pytest.mark.parametrize("deaths", [1, 4])
def test_all_workers_killed_are_replaced_and_counted(stand: Stand, deaths: int) -> None:
    dead: set[int] = set()
    for _ in range(deaths):
        assert eventually(lambda: set(stand.workers()) - dead)
        workers = set(stand.workers()) - dead
        send_signal(workers, signal.SIGKILL)
        dead.update(workers)
    assert eventually(lambda: is_whole(stand, dead))


def is_whole(site: Site, dead: set[int]) -> bool:
    alive = set(site.workers())
    try:
        return len(alive) == WORKERS and not alive & dead and site.samples("trawl_workers") == {"": WORKERS}
    except (OSError, HTTPException):
        return False


@dataclass
class Load:
    """Clients that send requests which need the database, without end."""

    client: Client
    answers: list[tuple[float, Answer]] = field(default_factory=list)
    titles: set[str] = field(default_factory=set)

    async def send_requests(self, number: int) -> None:
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

    async def answer_after(self, moment: float, statuses: Container[int]) -> float:
        """Wait for an answer with one of these statuses; returns when it came."""

        def times() -> list[float]:
            return [at for at, answer in self.answers if at > moment and answer.status in statuses]

        assert await asyncio.to_thread(eventually, times)
        return times()[0]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
async def test_a_postgresql_that_is_away_is_answered_with_503_and_is_used_soon_after_its_return(
    stand: Stand, number: signal.Signals
) -> None:
    load = Load(await stand.sign_in(f"anna {number.name}"))
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(load.send_requests(each)) for each in range(CLIENTS)]
        await load.answer_after(time.monotonic(), {201})
        await stand.postgres.end(number)
        await load.answer_after(time.monotonic(), {503})
        await stand.postgres.start()
        returned = time.monotonic()
        first = await load.answer_after(returned, range(400))
        await load.answer_after(returned, {201})
        for task in clients:
            task.cancel()
    failures = [at for at, answer in load.answers if returned < at < first and answer.status == 503]
    assert len(failures) < CLIENTS * ANSWERS_IN_2_SECONDS
    assert {answer.status for _, answer in load.answers} == {200, 201, 503}
    assert all("Retry-After" in answer.headers for _, answer in load.answers if answer.status == 503)
    stored = await load.client.get("/tasks?limit=1000")
    assert load.titles <= {task["title"] for task in stored.json["items"]}


async def test_a_valkey_that_is_dead_opens_nothing_and_loses_nothing(stand: Stand) -> None:
    boris = await stand.sign_in("boris")
    before, during = await stand.sign_in_again("boris"), await stand.sign_in_again("boris")
    assert (await before.post("/logout")).status == 204
    await stand.valkey.end(signal.SIGKILL)
    try:
        for path in ("/profile", "/report/1"):
            assert (await boris.get(path)).status == 200
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
    assert await asyncio.to_thread(eventually, lambda: is_ready(stand.url))
