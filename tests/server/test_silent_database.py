"""A PostgreSQL that stands still under load: nothing waits for it, and all is well when it goes on.

Seconds are those of the contract, times what a busy machine needs.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from itertools import count

import aiohttp
import pytest

from bench.shop_log import generate
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client
from tests.support.processes import eventually, patience
from tests.support.stand import Stand, make_stand

pytestmark = pytest.mark.slow

WITHIN = 10.0  # seconds
SLOWNESS = 3  # of a busy machine
LINES = 80_000
PAUSE = 1.0  # of a client between two requests

EVENT = {"user_id": 7, "event_type": "view", "occurred_at": "2024-05-06T07:08:09Z"}
REQUESTS: tuple[tuple[str, str, object], ...] = (
    ("GET", "/tasks", None),
    ("POST", "/tasks", {"title": "a task"}),
    ("GET", "/profile", None),
    ("GET", "/report/1", None),
    ("GET", "/visits?limit=10", None),
    ("GET", "/visits/stats?group_by=page", None),
    ("GET", "/visits/export", None),
    ("GET", "/pages/some", None),
    ("POST", "/visits", {"page_url": "/a/"}),
    ("POST", "/events", {"events": [EVENT]}),
    ("POST", "/login", {"login": "anna", "password": PASSWORD}),
    ("GET", "/imports", None),
    ("GET", "/health", None),
    ("GET", "/ready", None),
    ("GET", "/metrics", None),
)


@pytest.fixture
async def stand() -> AsyncIterator[Stand]:
    async with make_stand(
        WORKERS="2", INGEST_RATE_LIMIT_PER_MINUTE="0", ADMIN_LOGIN="anna", ADMIN_PASSWORD=PASSWORD
    ) as made:
        yield made


@dataclass
class Load:
    """Sends each kind of request again and again; notes when it began, how long it took, and its status."""

    client: Client
    answers: list[tuple[str, float, float, int]] = field(default_factory=list)

    async def send(self, method: str, path: str, body: object) -> None:
        for _ in count():
            start = time.monotonic()
            try:
                status = (await self.client.request(method, path, json=body)).status
            except aiohttp.ClientPayloadError:  # rows were on their way when the silence began
                assert path == "/visits/export"
                status = 503
            self.answers.append((f"{method} {path}", start, time.monotonic() - start, status))
            await asyncio.sleep(PAUSE)

    def statuses(self, since: float) -> dict[str, int]:
        """Return the last status of each kind of request that was sent since then."""
        return {name: status for name, start, _, status in self.answers if start > since}


async def until(condition: Callable[[], object]) -> None:
    assert await asyncio.to_thread(eventually, condition)


async def test_a_silent_database_holds_no_request_and_loses_no_import(stand: Stand) -> None:
    (stand.folder / "shop.log").write_text("".join(generate(LINES, 1)))
    load = Load(await stand.sign_in_again("anna"))
    async with asyncio.TaskGroup() as group:
        clients = [group.create_task(load.send(*each)) for each in REQUESTS for _ in range(2)]
        await until(lambda: len(load.statuses(0)) == len(REQUESTS))
        started = await load.client.get("/parse?file=shop.log&wait=0")
        assert started.status == 202
        stopped = time.monotonic()
        with stand.postgres.stopped():
            await asyncio.sleep(WITHIN * 3)
        continued = time.monotonic()
        await until(lambda: len(good(load.statuses(continued))) == len(REQUESTS))
        recovery = time.monotonic() - continued
        for task in clients:
            task.cancel()
    waits = [start + seconds - max(start, stopped) for _, start, seconds, _ in load.answers]
    assert max(waits) < WITHIN * SLOWNESS
    assert recovery < WITHIN * SLOWNESS
    assert {status for *_, status in load.answers} <= {200, 201, 503}
    during = {status for name, start, _, status in load.answers if stopped + WITHIN < start < continued}
    assert during == {200, 503}  # metrics are told without it
    record = await wait_for_import(load.client, started.json["id"])
    assert (record["lines"], record["imported"] + record["rejected"]) == (LINES, LINES)


def good(statuses: dict[str, int]) -> list[str]:
    return [name for name, status in statuses.items() if status < 300]


async def wait_for_import(client: Client, import_id: int) -> dict[str, int]:
    end = time.monotonic() + patience()
    while time.monotonic() < end:
        record = (await client.get(f"/imports/{import_id}")).json
        if record["status"] != "running":
            assert record["status"] == "done", record
            return dict(record)
        await asyncio.sleep(0.2)
    raise AssertionError("the import does not end")
