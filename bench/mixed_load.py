"""A mixed load of everybody's work and a little of every attack, for a soak."""

import asyncio
import json
import time
import uuid
from itertools import count
from random import Random

from bench.attackers import GROUPS, Target, connection, repeat

READERS, WRITERS = 4, 2
SILENT, TRICKLING, UNREAD = 50, 20, 4
HOLD_SECONDS = 30.0
THINK_SECONDS = 0.5  # after each request of a reader or writer: the load is to last, not to saturate
REPORTS = range(1, 8)
DAYS = range(6, 19)
FILLS = 4  # of the caches: two workers take turns by chance, and each has its own


def run_mixed_load(target: Target) -> None:
    asyncio.run(mix(target))


async def mix(target: Target) -> None:
    await asyncio.gather(
        repeat(target, READERS, lambda index: read(target, index)),
        repeat(target, WRITERS, lambda index: write(target, index)),
        repeat(target, SILENT, lambda _index: hold(target, b"")),
        repeat(target, UNREAD, lambda _index: hold(target, target.head("GET", "/visits/export"))),
        repeat(target, TRICKLING, lambda _index: trickle(target)),
    )


async def send(target: Target, data: bytes, *, think: float = THINK_SECONDS) -> bytes:
    async with connection(target) as (reader, writer):
        writer.write(data)
        response = await reader.read()
    await asyncio.sleep(think)
    return response


numbers = count()


def paths_of(day: int, group: str, report: int) -> tuple[str, ...]:
    """Return what a reader reads: lists, statistics, reports and an export."""
    return (
        f"/visits?limit=100&from=2024-05-{day:02}T00:00:00Z",
        f"/visits/stats?group_by={group}&from=2024-05-{day:02}T00:00:00Z",
        f"/report/{report}?from=2024-05-{day:02}T00:00:00Z",
        "/events?limit=100",
        "/stats/dau?from=2024-05-01&to=2024-05-20",
        f"/visits/export?from=2024-05-{day:02}T00:00:00Z&to=2024-05-{day:02}T06:00:00Z",
        "/tasks?q=a",
        "/nothing",
    )


async def read(target: Target, index: int) -> None:
    """Read one thing after the other."""
    random = Random(f"{index} {next(numbers)}")
    for path in paths_of(random.choice(DAYS), random.choice(GROUPS), random.choice(REPORTS)):
        await send(target, target.head("GET", path, "Connection: close"))


async def fill_caches(target: Target) -> None:
    """Read all that readers may read, so that no cache grows by it later."""
    pairs = [(day, group, 1 + number % len(REPORTS)) for day in DAYS for number, group in enumerate(GROUPS)]
    pairs += [(day, GROUPS[0], report) for day in DAYS for report in REPORTS]
    paths = sorted({path for pair in pairs for path in paths_of(*pair)}) * FILLS
    waiting = iter(paths)

    async def read_rest() -> None:
        for path in waiting:
            await send(target, target.head("GET", path, "Connection: close"), think=0)

    await asyncio.gather(*(read_rest() for _ in range(READERS)))


async def write(target: Target, index: int) -> None:
    """Send events, visits and tasks, some of them not good."""
    random = Random(f"{index} {next(numbers)}")
    events = [
        {
            "event_id": str(uuid.UUID(int=random.getrandbits(128), version=4)),
            "user_id": random.randint(1, 1000),
            "event_type": random.choice(("view", "buy", "")),
            "occurred_at": f"2024-05-{random.randint(1, 20):02}T00:00:00Z",
        }
        for _ in range(20)
    ]
    bodies = {
        "/events": {"events": events},
        "/visits": {"visits": [{"page_url": f"/a/{random.randint(1, 100)}"} for _ in range(20)]},
        "/tasks": {"title": "a" * random.randint(0, 250)},
        "/login": {"login": "nobody at all", "password": "wrong horse battery"}
        if random.random() < 0.05
        else [],
    }
    for path, body in bodies.items():
        await send(target, target.post(path, json.dumps(body).encode(), "Connection: close"))
    await asyncio.sleep(1)


async def hold(target: Target, data: bytes) -> None:
    """Hold a connection and read nothing."""
    async with connection(target) as (_, writer):
        writer.write(data)
        await asyncio.sleep(HOLD_SECONDS)


async def trickle(target: Target) -> None:
    head = target.head("POST", "/events", "Content-Type: application/json", "Content-Length: 1000")
    end = time.monotonic() + HOLD_SECONDS
    async with connection(target) as (_, writer):
        writer.write(head)
        while time.monotonic() < end and not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(1)
