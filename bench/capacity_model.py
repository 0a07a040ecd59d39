"""What a number of workers can do, by what a unit of work costs: bounds of each part, and simulated queues.

Seconds are CPU seconds of one core. A worker is a loop, which talks to clients and databases, and threads
beside it, which parse and count; its machine has two cores for it.
"""

import heapq
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

CHUNK_LINES = 80_000  # of the shop's format in 8 MiB
CONNECTIONS_PER_WORKER = 11
CONNECTIONS = 1000  # of a PostgreSQL that was given the memory for them
DATABASE_CORES = 16
WORKER_THREADS = 2  # that run at once
FULL_SPEED = {"loops": 1.0, "threads": 1.0, "PostgreSQL": 1.0, "Valkey": 1.0, "client": 1.0}


@dataclass(frozen=True, slots=True)
class Constants:
    """What was measured, in seconds, and in bytes of disk.

    :param locked_line: for how long the lock of parts, of which there is one, is held
    """

    loop_line: float
    threads_line: float
    database_line: float
    locked_line: float
    loop_read: float
    threads_read: float
    database_read: float
    cache_read: float
    client_read: float
    loop_visit: float
    database_visit: float
    line_bytes: float

    @property
    def unlocked_line(self) -> float:
        """What loop and PostgreSQL do for a line before it is stored, such as looking names up."""
        return max(0.0, self.loop_line + self.database_line - self.locked_line)

    def storing_speed(self, speeds: Mapping[str, float]) -> float:
        """Return what share of a core loop and PostgreSQL get together, who take turns."""
        waited = self.loop_line / speeds["loops"] + self.database_line / speeds["PostgreSQL"]
        return (self.loop_line + self.database_line) / waited


def line_bounds(costs: Constants, workers: int) -> dict[str, float]:
    """Return how many lines a second each part can bear."""
    return {
        "workers": workers / max(costs.loop_line, costs.threads_line),
        "PostgreSQL's cores": DATABASE_CORES / costs.database_line,
        "the lock of parts": 1 / costs.locked_line,
    }


def read_bounds(costs: Constants, workers: int) -> dict[str, float]:
    """Return how many statistics a second each part can bear. Valkey runs on one core."""
    return {
        "workers": workers / max(costs.loop_read, costs.threads_read / WORKER_THREADS),
        "PostgreSQL's cores": DATABASE_CORES / costs.database_read,
        "Valkey": 1 / costs.cache_read,
    }


def visit_bounds(costs: Constants, workers: int) -> dict[str, float]:
    """Return how many live visits a second each part can bear, in batches of 100."""
    return {
        "workers": workers / costs.loop_visit,
        "PostgreSQL's cores": DATABASE_CORES / costs.database_visit,
    }


def narrowest(bounds: dict[str, float]) -> tuple[str, float]:
    """Return the part that saturates first, and what it bears."""
    return min(bounds.items(), key=lambda bound: bound[1])


@dataclass(slots=True)
class Station:
    """A part with a queue, and so many places where work is done."""

    places: int
    queue: deque[int] = field(default_factory=deque)


Step = tuple[str, float]  # the name of a station, and seconds of work there


def simulate(places: dict[str, int], jobs: Sequence[Sequence[Step]], *, times: int, seed: int = 1) -> float:
    """Return the seconds in which each job is done so many times, one time after the other.

    :param places: of each station
    :param jobs: the steps of each job, one after the other; their seconds vary by half
    """
    rng, stations = random.Random(seed), {name: Station(count) for name, count in places.items()}
    done, now = [0] * len(jobs), 0.0  # steps
    events: list[tuple[float, int]] = []

    def step_of(job: int) -> Step:
        return jobs[job][done[job] % len(jobs[job])]

    def begin(job: int) -> None:
        heapq.heappush(events, (now + step_of(job)[1] * rng.uniform(0.5, 1.5), job))

    def arrive(job: int) -> None:
        station = stations[step_of(job)[0]]
        if station.places:
            station.places -= 1
            begin(job)
        else:
            station.queue.append(job)

    for job in range(len(jobs)):
        arrive(job)
    while events:
        now, job = heapq.heappop(events)
        station = stations[step_of(job)[0]]
        if station.queue:
            begin(station.queue.popleft())
        else:
            station.places += 1
        done[job] += 1
        if done[job] < times * len(jobs[job]):
            arrive(job)
    return now


def simulate_lines(
    costs: Constants, imports: int, chunks: int, *, speeds: Mapping[str, float] = FULL_SPEED
) -> float:
    """Return lines a second of imports at once, each with one chunk that is prepared while one is stored.

    :param chunks: of each
    :param speeds: of processes of each kind, for which others leave so much of a core
    """
    speed = costs.storing_speed(speeds)
    prepare = costs.threads_line / speeds["threads"] + costs.unlocked_line / speed
    store = costs.locked_line / speed
    places = {f"threads of {number}": 1 for number in range(imports)} | {"parts": 1}
    jobs = [
        [(f"threads of {number}", prepare * CHUNK_LINES), ("parts", store * CHUNK_LINES)]
        for number in range(imports)
        for _ in range(2)
    ]
    return imports * chunks * CHUNK_LINES / simulate(places, jobs, times=chunks // 2)


def simulate_reads(
    costs: Constants, workers: int, clients: int, reads: int, *, speeds: Mapping[str, float] = FULL_SPEED
) -> float:
    """Return statistics a second of clients in one process, who ask so many times together."""
    places = {f"loop {number}": 1 for number in range(workers)}
    places |= {f"threads {number}": WORKER_THREADS for number in range(workers)}
    places |= {"PostgreSQL": DATABASE_CORES, "Valkey": 1, "clients": 1}
    jobs = [
        [
            ("clients", costs.client_read / speeds["client"]),
            (f"loop {number % workers}", costs.loop_read / speeds["loops"]),
            ("Valkey", costs.cache_read / speeds["Valkey"]),
            ("PostgreSQL", costs.database_read / speeds["PostgreSQL"]),
            (f"threads {number % workers}", costs.threads_read / speeds["threads"]),
        ]
        for number in range(clients)
    ]
    return reads / simulate(places, jobs, times=reads // clients)
