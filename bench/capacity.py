"""What parts cost, and from that what 1 to 1,000 workers bear, and which part saturates first.

    python -m bench.capacity

Two servers of one worker on one PostgreSQL: constants are measured at one of them, then what one and both do
at once. A simulation of queues, from the constants, must come within a quarter of both. The machine may have
other work: what a process waited for a core, by the kernel's account, slows the simulated one too.
"""

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from datetime import timedelta
from itertools import count
from pathlib import Path
from statistics import median

import asyncpg

from bench.capacity_model import (
    CHUNK_LINES,
    CONNECTIONS,
    CONNECTIONS_PER_WORKER,
    Constants,
    line_bounds,
    narrowest,
    read_bounds,
    simulate_lines,
    simulate_reads,
    visit_bounds,
)
from bench.lock_watch import watched
from bench.postgres_cost import DISK, postgres_cpu
from bench.results import write_results
from bench.shop_log import START, generate
from tests.support.http_client import Client
from tests.support.processes import children, command_of
from tests.support.two_servers import TwoServers, two_servers_apart

LINES = 320_000  # of a log
READS, CLIENTS = 200, 8
VISITS, BATCH = 3000, 100
BUSY = 0.1  # of what the busiest thread of its kind does, more than which a busy one does
AT_MOST = 0.25  # of what is measured, by which a prediction may be wrong
WORKERS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000)
KINDS = ("loops", "threads", "PostgreSQL", "Valkey", "client")  # of threads; loops and threads of workers
Times = tuple[float, float]  # seconds that a thread ran, and that it waited for a core
NEW = (0.0, 0.0)
ROUNDS = 3


@dataclass(slots=True)
class Usage:
    """Seconds of a period, and CPU seconds of each kind of process in it.

    :param speeds: what share of a core their busy threads got when they wanted one
    """

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    speeds: dict[str, float] = field(default_factory=dict)


def processes(site: TwoServers) -> dict[str, list[int]]:
    """Return the processes of workers, PostgreSQL and Valkey, and this one."""
    servers = [site.first.process, site.second.process]
    own = [(pid, command_of(pid).partition("\0")[0]) for pid in children(os.getpid())]
    postmasters = [pid for pid, program in own if "postgres" in program]
    return {
        "workers": [pid for server in servers if server for pid in children(server.pid)],
        "PostgreSQL": [pid for parent in postmasters for pid in (parent, *children(parent))],
        "Valkey": [pid for pid, program in own if "valkey" in program],
        "client": [os.getpid()],
    }


def thread_times(site: TwoServers) -> dict[str, dict[int, Times]]:
    """Return of each kind for how long its threads ran, and waited for a core."""
    times = {kind: dict[int, Times]() for kind in KINDS}
    for kind, pids in processes(site).items():
        for pid in pids:
            with suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    run, wait, _ = map(int, (task / "schedstat").read_text().split())
                    thread = int(task.name)
                    each = ("loops" if thread == pid else "threads") if kind == "workers" else kind
                    times[each][thread] = run / 1e9, wait / 1e9
    return times


def speed_of(spans: list[Times]) -> float:
    """Return the share of a core that busy threads got."""
    most = max(run for run, _ in spans)
    busy = [(run, wait) for run, wait in spans if run > BUSY * most]
    return sum(run for run, _ in busy) / sum(run + wait for run, wait in busy) if busy else 1.0


@contextmanager
def measured(site: TwoServers) -> Iterator[Usage]:
    """Fill in what the block uses."""
    usage, data = Usage(), site.folder / "servers"
    before, database, begin = thread_times(site), postgres_cpu(data), time.perf_counter()
    yield usage
    usage.seconds = time.perf_counter() - begin
    for kind, threads in thread_times(site).items():
        spans = [
            (run - before[kind].get(thread, NEW)[0], wait - before[kind].get(thread, NEW)[1])
            for thread, (run, wait) in threads.items()
        ]
        usage.cpu[kind], usage.speeds[kind] = sum(run for run, _ in spans), speed_of(spans)
    usage.cpu["PostgreSQL"] = postgres_cpu(data) - database  # with connections that have ended


async def import_log(client: Client, number: int) -> None:
    record = (await client.post(f"/parse?file={number}.log&wait=300")).json
    assert (record["status"], record["imported"]) == ("done", record["lines"]), record


def write_logs(folder: Path) -> Callable[..., int]:
    """Return a function that writes another log, of other days than those before, and returns its number."""
    numbers = count()

    def write(lines: int = LINES) -> int:
        number = next(numbers)
        with (folder / f"{number}.log").open("w") as file:
            file.writelines(generate(lines, number, start=START + timedelta(days=45 * number)))
        return number

    return write


async def ask(client: Client, until: Iterator[int]) -> None:
    """Ask for a statistic that nobody has asked for yet."""
    last = START + timedelta(days=30, seconds=next(until))
    answer = await client.get(f"/visits/stats?group_by=day&traffic=all&to={last:%FT%TZ}")
    assert answer.status == 200, answer.body


async def ask_at_once(clients: list[Client], until: Iterator[int]) -> None:
    """Let CLIENTS ask, each at one of the servers, READS times in all."""

    async def ask_some(number: int) -> None:
        for _ in range(READS // CLIENTS):
            await ask(clients[number % len(clients)], until)

    await asyncio.gather(*map(ask_some, range(CLIENTS)))


async def measure_constants(site: TwoServers, write: Callable[..., int], until: Iterator[int]) -> Constants:
    """Measure what a line, a statistic and a live visit cost, at one server, one after the other."""
    connection = await asyncpg.connect(site.first.command.environment()["DATABASE_URL"])
    client, log = site.clients[0], write()
    before = await connection.fetchval(DISK)
    with measured(site) as lines:
        async with watched(connection) as lock:
            await import_log(client, log)
    disk = await connection.fetchval(DISK) - before
    await connection.close()
    for _ in range(5):
        await ask(client, until)
    with measured(site) as reads:
        for _ in range(READS):
            await ask(client, until)
    with measured(site) as visits:
        for _ in range(VISITS // BATCH):
            answer = await client.post("/visits", json={"visits": [{"page_url": "/a/"}] * BATCH})
            assert answer.status < 300, answer.body
    costs = Constants(
        loop_line=lines.cpu["loops"] / LINES,
        threads_line=lines.cpu["threads"] / LINES,
        database_line=lines.cpu["PostgreSQL"] / LINES,
        locked_line=lock.share * lines.seconds / LINES,
        loop_read=reads.cpu["loops"] / READS,
        threads_read=reads.cpu["threads"] / READS,
        database_read=reads.cpu["PostgreSQL"] / READS,
        cache_read=reads.cpu["Valkey"] / READS,
        client_read=reads.cpu["client"] / READS,
        loop_visit=visits.cpu["loops"] / VISITS,
        database_visit=visits.cpu["PostgreSQL"] / VISITS,
        line_bytes=float(disk) / LINES,
    )
    return replace(costs, locked_line=costs.locked_line * costs.storing_speed(lines.speeds))


@dataclass(frozen=True, slots=True)
class Point:
    """What so many workers did a second, and at which speeds."""

    workers: int
    lines: float
    line_speeds: dict[str, float]
    reads: float
    read_speeds: dict[str, float]


async def measure() -> tuple[Constants, list[Point]]:
    """Return the constants, each the median of the rounds, and the points."""
    samples, points, until = list[Constants](), list[Point](), count()
    async with two_servers_apart(WORKERS="1", INGEST_RATE_LIMIT_PER_MINUTE="0") as site:
        write = write_logs(site.folder / "logs")
        for client in site.clients:  # modules and caches
            await import_log(client, write(20_000))
            await ask(client, until)
        for _ in range(ROUNDS):
            samples.append(await measure_constants(site, write, until))
            points += [await measure_point(site, workers, write, until) for workers in (1, 2)]
    names = [each.name for each in fields(Constants)]
    return Constants(**{name: median(getattr(each, name) for each in samples) for name in names}), points


async def measure_point(
    site: TwoServers, workers: int, write: Callable[..., int], until: Iterator[int]
) -> Point:
    """Measure two imports at once, and then CLIENTS who ask for statistics."""
    clients, logs = [site.clients[0], site.clients[workers - 1]], [write(), write()]
    with measured(site) as lines:
        await asyncio.gather(*map(import_log, clients, logs))
    await asyncio.gather(*(ask(client, until) for client in clients))
    with measured(site) as reads:
        await ask_at_once(clients, until)
    return Point(workers, 2 * LINES / lines.seconds, lines.speeds, READS / reads.seconds, reads.speeds)


def compare(costs: Constants, points: list[Point]) -> dict[str, list[tuple[float, float]]]:
    """Return what was measured and predicted, of each kind of point once a round."""
    pairs = defaultdict[str, list[tuple[float, float]]](list)
    for point in points:
        lines = simulate_lines(costs, 2, LINES // CHUNK_LINES, speeds=point.line_speeds)
        reads = simulate_reads(costs, point.workers, CLIENTS, READS, speeds=point.read_speeds)
        pairs[f"lines/s, {point.workers}"].append((point.lines, lines))
        pairs[f"statistics/s, {point.workers}"].append((point.reads, reads))
    return dict(sorted(pairs.items()))


def plan(costs: Constants) -> list[list[str]]:
    """Return a row for each number of workers."""
    rows = []
    for workers in WORKERS:
        line_part, lines = narrowest(line_bounds(costs, workers))
        read_part, reads = narrowest(read_bounds(costs, workers))
        visit_part, visits = narrowest(visit_bounds(costs, workers))
        connections = workers * CONNECTIONS_PER_WORKER
        rows.append(
            [
                f"{workers:,}",
                f"{lines:,.0f} ({line_part})",
                f"{lines * costs.line_bytes * 86400 / 1e9:,.0f}",
                f"{reads:,.0f} ({read_part})",
                f"{visits:,.0f} ({visit_part})",
                f"{connections:,}{'' if connections <= CONNECTIONS else ', by a pooler'}",
            ]
        )
    return rows


def write_constants(costs: Constants) -> None:
    rows = {
        "a line": [costs.loop_line, costs.threads_line, costs.database_line, 0.0],
        "a statistic by day": [costs.loop_read, costs.threads_read, costs.database_read, costs.cache_read],
        "a live visit, 100 a batch": [costs.loop_visit, 0.0, costs.database_visit, 0.0],
    }
    columns = ["microseconds of CPU", "a worker's loop", "its threads", "PostgreSQL", "Valkey"]
    texts = [[name, *(f"{seconds * 1e6:,.1f}" for seconds in times)] for name, times in rows.items()]
    texts.append(["a line, under the lock of parts", "", "", f"{costs.locked_line * 1e6:,.1f}", ""])
    texts.append(["bytes of disk a line", "", "", f"{costs.line_bytes:,.0f}", ""])
    write_results("Capacity: what a unit of work costs", columns, texts)


def write_points(points: dict[str, list[tuple[float, float]]]) -> bool:
    """Return whether all predictions are as close as they must be, in the median of the rounds."""
    rows, is_close = [], True
    for name, pairs in points.items():
        ratio = median(predicted / real for real, predicted in pairs)
        good = abs(ratio - 1) <= AT_MOST
        real, predicted = (
            ", ".join(f"{value:,.0f}" for value in values) for values in zip(*pairs, strict=True)
        )
        rows.append([name, real, predicted, f"{ratio:.2f}", "yes" if good else "no"])
        is_close = is_close and good
    columns = ["what, and how many workers", "measured", "predicted", "ratio", f"within {AT_MOST:.0%}"]
    write_results("Capacity: predicted and measured", columns, rows)
    return is_close


def main() -> int:
    costs, points = asyncio.run(measure())
    write_constants(costs)
    is_close = write_points(compare(costs, points))
    columns = ["workers", "lines/s (bound by)", "GB a day", "statistics/s", "live visits/s", "connections"]
    write_results("Capacity: 1 to 1,000 workers", columns, plan(costs))
    return 0 if is_close else 1


if __name__ == "__main__":
    sys.exit(main())
