"""10,000 views of pages a second offered to a whole server: none told as stored is lost, and readers go on.

The crowd is bounded, as a proxy before a server bounds it: so many connections, of so many addresses, each of
which has one view under way and is due again after its share of a second. A server that is slower is offered
less. Beside the crowd a reader of another address asks for statistics, a report and a list.

First nobody else is there, then the crowd with no limit of an address, then with one of 30 a minute, and at
last with none while a worker is killed: who got no answer does not know whether the view is stored.
"""

import asyncio
import json
import math
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import cast

import uvloop

from bench.own_trawl import ADMIN, HOST, OwnTrawl, own_trawl
from bench.postgres_cost import TICKS
from bench.quiet_client import QuietClient
from bench.results import write_results
from bench.site_views import ORIGIN, view_request
from tests.support.processes import command_of, processes_below

RATE, CONNECTIONS, ADDRESSES = 10_000, 200, 20
SECONDS = 10.0
KILL_AFTER = 4.0  # seconds
READS = ("/visits/stats", "/report/4", "/tasks")
READ_RATE = 10  # a second
UNANSWERED = "unanswered"
KINDS = ("workers", "postgres", "valkey")
FEW = "30"  # views of an address in a minute, a tenth of the default: the measurement is short
BOUND = 3.0  # times the p99 of a reader whom nobody disturbs, or one second: that of `bench.attacks`


@dataclass(slots=True)
class Crowd:
    """What the visitors were told, how long it took, and the CPU seconds that they took themselves."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    cpu: float = 0.0


class Visitor(asyncio.Protocol):
    """A connection that reports a view whenever it is due, and waits for the answer to the last one."""

    def __init__(self, crowd: Crowd, request: bytes, first: float, until: float) -> None:
        self.is_over = asyncio.get_running_loop().create_future()
        self._crowd, self._request, self._due, self._until = crowd, request, first, until
        self._begin = 0.0
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        asyncio.get_running_loop().call_at(self._due, self._send)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]):
            return
        is_taken = head.startswith(b"HTTP/1.1 202")
        self._crowd.outcomes[json.loads(body)["status"] if is_taken else head[9:12].decode()] += 1
        now = asyncio.get_running_loop().time()
        self._crowd.seconds.append(now - self._begin)
        self._received, self._begin = b"", 0.0
        self._due = max(self._due + CONNECTIONS / RATE, now)
        asyncio.get_running_loop().call_at(self._due, self._send)

    def connection_lost(self, _: Exception | None) -> None:
        if self._begin:
            self._crowd.outcomes[UNANSWERED] += 1
        if not self.is_over.done():
            self.is_over.set_result(None)

    def _send(self) -> None:
        if asyncio.get_running_loop().time() >= self._until:
            self._transport.close()
        elif not self._transport.is_closing():
            self._begin = asyncio.get_running_loop().time()
            self._transport.write(self._request)


async def offer_views(port: int, request: bytes, seconds: float) -> Crowd:
    """Send views until the time is over, on new connections where old ones break."""
    loop, crowd = asyncio.get_running_loop(), Crowd()
    begin = loop.time()

    async def stay(number: int) -> None:
        address = f"127.0.1.{number % ADDRESSES + 1}"
        while (now := loop.time()) < begin + seconds:
            first = max(now, begin + number / RATE)
            with suppress(OSError):  # the place of a killed worker
                _, visitor = await loop.create_connection(
                    partial(Visitor, crowd, request, first, begin + seconds),
                    HOST,
                    port,
                    local_addr=(address, 0),
                )
                await visitor.is_over

    await asyncio.gather(*map(stay, range(CONNECTIONS)))
    crowd.cpu = time.process_time()
    return crowd


def report_views(port: int, request: bytes, seconds: float) -> Crowd:
    return uvloop.run(offer_views(port, request, seconds))


async def read(client: QuietClient, seconds: float, *, may_break: bool = False) -> list[float]:
    """Ask ten times a second, or as soon as the last one is answered; return the milliseconds of each.

    :param may_break: the connection of a request may end with a killed worker
    """
    begin, waits = time.monotonic(), list[float]()
    while (start := time.monotonic()) < begin + seconds:
        status, body = await client.call("GET", READS[len(waits) % len(READS)])
        assert status == 200 or (may_break and not status), (status, body)
        waits.append((time.monotonic() - start) * 1000)
        await asyncio.sleep(max(0.0, start + 1 / READ_RATE - time.monotonic()))
    return waits


async def stored_views(client: QuietClient) -> int:
    """Count the views that the server has."""
    status, body = await client.call("GET", "/visits/stats?source=site&traffic=all")
    assert status == 200, (status, body)
    items = json.loads(body)["items"]
    return int(items[0]["visits"]) if items else 0


def cpu_by_kind(trawl: OwnTrawl) -> dict[str, float]:
    """Return the CPU seconds of the workers, of PostgreSQL and of Valkey, with those of ended children."""
    seconds = dict.fromkeys(KINDS, 0.0)
    for pid in processes_below(trawl.folder):
        command = command_of(pid).lower()
        kind = next((kind for kind in KINDS if kind in command), KINDS[0])
        with suppress(OSError):  # it has ended just now
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            seconds[kind] += sum(map(int, fields[11:15])) / TICKS
    return seconds


async def kill_a_worker(trawl: OwnTrawl) -> None:
    await asyncio.sleep(KILL_AFTER)
    os.kill(trawl.workers()[0], signal.SIGKILL)


def percentile(values: list[float], part: float) -> float:
    ordered = sorted(values) or [math.nan]
    return ordered[math.ceil(part * len(ordered)) - 1]


async def measure(
    trawl: OwnTrawl, client: QuietClient, request: bytes, name: str, *, kills: bool = False
) -> tuple[tuple[str, ...], float, bool]:
    """Make the row of a crowd. Return it, the reader's p99, and whether all is there that was told."""
    before, cpu = await stored_views(client), cpu_by_kind(trawl)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        loop = asyncio.get_running_loop()
        reporting = loop.run_in_executor(pool, report_views, trawl.port, request, SECONDS)
        killing = asyncio.create_task(kill_a_worker(trawl) if kills else asyncio.sleep(0))
        waits = await read(client, SECONDS, may_break=kills)
        crowd = await reporting
        await killing
    after = cpu_by_kind(trawl)
    rows, stored, views = (
        await stored_views(client) - before,
        crowd.outcomes["stored"],
        crowd.outcomes.total(),
    )
    is_right = stored <= rows <= stored + crowd.outcomes[UNANSWERED]
    spent = [f"{(after[kind] - cpu[kind]) / views * 1e6:.0f}" for kind in KINDS]
    counts = [str(crowd.outcomes[kind]) for kind in ("stored", "dropped", UNANSWERED)]
    others = views - sum(map(int, counts))
    cells = [name, f"{views / SECONDS:.0f}", *counts, str(others), str(rows)]
    cells += [f"{percentile(crowd.seconds, 0.99) * 1000:.0f} ms"]
    cells += [f"{percentile(waits, 0.5):.0f}, {percentile(waits, 0.99):.0f} ms"]
    cells += ["not known" if kills else " + ".join([*spent, f"{crowd.cpu / views * 1e6:.0f}"])]
    return tuple(cells), percentile(waits, 0.99), is_right and not others


async def measure_all(limit: str, names: dict[str, bool]) -> tuple[list[tuple[str, ...]], bool]:
    """Measure crowds against a server of its own: by name, and whether a worker is killed."""
    unlimited = "1000000"
    settings = {
        "RATE_LIMIT_PER_MINUTE": unlimited,
        "COLLECT_RATE_LIMIT_PER_MINUTE": limit,
        "LOG_LEVEL": "INFO",
    }
    with own_trawl(**settings) as trawl:
        client = QuietClient(trawl.port, ADMIN)
        await client.sign_in()
        _, body = await client.call("POST", "/sites", {"name": "shop", "origins": [ORIGIN]})
        request = view_request(json.loads(body)["key"])
        quiet = percentile(await read(client, SECONDS), 0.99)
        rows, is_right = list[tuple[str, ...]](), True
        for name, kills in names.items():
            row, p99, is_own = await measure(trawl, client, request, name, kills=kills)
            rows.append((*row[:-1], f"{p99 / quiet:.1f}", row[-1]))
            is_right = is_right and is_own and p99 <= max(BOUND * quiet, 1000.0)
        return rows, is_right


async def main() -> int:
    rows, is_right = await measure_all("1000000", {"no limit": False, "no limit, a worker is killed": True})
    limited, is_limited_right = await measure_all(FEW, {f"{FEW} a minute of an address": False})
    columns = ["limit", "answered a second", "stored", "dropped", UNANSWERED, "other answers", "rows"]
    columns += ["p99 of a view", "a reader: median, p99", "times its p99 without the crowd"]
    columns += ["CPU of a view (us): workers + PostgreSQL + Valkey + the crowd's own"]
    title = (
        f"{RATE:,} views a second that pages report, by {CONNECTIONS} connections of {ADDRESSES} addresses"
    )
    write_results(title, columns, [*rows, *limited])
    return int(not (is_right and is_limited_right))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
