"""What is counted and timed, for Prometheus: over all workers, also those that have died.

A worker calls `keep_in` before it serves. From then on its numbers stand in files that the others read
too, and that the worker that takes its place goes on with. A command that imports lends its numbers to a
server by `lent_to`. Without either they are this process's alone.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
NO_ROUTE = "none"
MAX_COMMANDS = 16

Taken = Literal["events", "visits", "lines"]
Dropped = Literal["events", "visits"]


class Metrics:
    """All metrics of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests: Histogram = self._make(
            Histogram,
            "trawl_request_duration_seconds",
            "Time until a request's answer was sent",
            ["route", "method", "status"],
            buckets=BUCKETS,
        )
        self.upstream: Histogram = self._make(
            Histogram,
            "trawl_upstream_duration_seconds",
            "Time of calls to services of others",
            ["upstream", "outcome"],
            buckets=BUCKETS,
        )
        self.taken: dict[str, Counter] = {
            what: self._make(
                Counter, f"trawl_{what}_taken", f"{what.capitalize()} that were stored or read", []
            )
            for what in ("events", "visits", "lines")
        }
        self.dropped: Counter = self._make(
            Counter, "trawl_rows_dropped", "Visits and events that were dropped for their age", ["kind"]
        )
        self.cpu: Counter = self._make(
            Counter, "process_cpu_seconds", "User and system CPU time of the workers", []
        )
        self.workers = self._gauge("trawl_workers", "Workers that serve")
        self.operations = self._gauge(
            "trawl_operations_per_second", "Requests a second, over the last seconds"
        )
        self.memory = self._gauge("process_resident_memory_bytes", "Resident memory of the workers")
        self.pool = self._gauge("trawl_db_pool_connections", "Connections to PostgreSQL", ["state"])
        self.loop_lag = self._gauge(
            "trawl_event_loop_lag_seconds", "How late a timer fired, in the slowest worker", mode="livemax"
        )
        self.up = self._gauge("trawl_up", "Whether a part is there", ["part"], mode="mostrecent")
        self.import_lag = self._gauge(
            "trawl_import_lag_bytes", "Bytes of LOGS_FILE that are not imported", mode="mostrecent"
        )
        self.request_series: dict[tuple[str, str, int], Any] = {}

    def _make(self, kind: Any, name: str, text: str, labels: Iterable[str], **options: Any) -> Any:
        return kind(name, text, labels, registry=self.registry, **options)

    def _gauge(self, name: str, text: str, labels: Iterable[str] = (), *, mode: str = "livesum") -> Gauge:
        gauge: Gauge = self._make(Gauge, name, text, labels, multiprocess_mode=mode)
        return gauge


@dataclass(slots=True)
class _State:
    metrics: Metrics | None = None
    requests: int = 0


_state = _State()


def current() -> Metrics:
    """The metrics of this process, made when they are first asked for: a fork must not share them."""
    if _state.metrics is None:
        _state.metrics = Metrics()
    return _state.metrics


def empty(folder: Path) -> None:
    """Begin anew: no worker writes here yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def keep_in(folder: Path, worker: str) -> None:
    """Keep this process's numbers in files of the worker's name, which outlive it."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker)
    _state.metrics = Metrics()


def forget_worker(folder: Path, worker: str) -> None:
    """A worker has died: what it was doing is over, and what it has counted stays."""
    mark_process_dead(worker, str(folder))


@contextmanager
def lent_to(folder: Path | None) -> Iterator[None]:
    """Count for the server whose workers keep their numbers in `folder`, if there is one.

    One command at a time has a place there, whose files the next goes on with.
    """
    if folder is None:
        yield
        return
    with ExitStack() as held:
        for name in (f"command-{number}" for number in range(1, MAX_COMMANDS + 1)):
            # Another user's, or held by another command: the next place is as good.
            with suppress(OSError):
                place = held.enter_context((folder / f"{name}.lock").open("a"))
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
                keep_in(folder, name)
                held.callback(forget_worker, folder, name)
                break
        yield


def exposition() -> bytes:
    """All workers' numbers in Prometheus's text format."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return generate_latest(current().registry)
    registry = CollectorRegistry()
    registry.register(_WorkerFiles(Path(folder)))
    return generate_latest(registry)


class _WorkerFiles(Collector):
    """The files of all workers, but those that one is just making: the library trips over an empty file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.iterdir() if file.suffix == ".db" and _is_filled(file)]
        metrics: Iterable[Metric] = MultiProcessCollector.merge(files)
        return metrics


def _is_filled(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # a gauge of a worker that has died since
        return False


def count_taken(what: Taken, number: int) -> None:
    """Events and visits that were stored, lines that were read."""
    current().taken[what].inc(number)


def count_dropped(what: Dropped, number: int) -> None:
    """Visits and events that were dropped for their age."""
    current().dropped.labels(what).inc(number)


def observe_upstream(upstream: str, outcome: str, seconds: float) -> None:
    """A call to a service of others: `outcome` is its status, or what became of it."""
    current().upstream.labels(upstream, outcome).observe(seconds)


def observe_request(route: str | None, method: str, status: int, seconds: float) -> None:
    """A request, by its route's template: no identifier is in it."""
    metrics = current()
    _state.requests += 1
    key = (route or NO_ROUTE, method if method in METHODS else "other", status)
    series = metrics.request_series.get(key)
    if series is None:
        series = metrics.request_series[key] = metrics.requests.labels(key[0], key[1], str(status))
    series.observe(seconds)


def requests_so_far() -> int:
    """Of this process."""
    return _state.requests
