"""The metrics that Prometheus reads. `multiprocess` sums them over all workers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
NO_ROUTE = "none"

Ingested = Literal["events", "visits", "lines"]
Dropped = Literal["events", "visits"]


class Metrics:
    """All metrics of a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._add_work()
        self._add_processes()
        self._add_bounds()
        self._add_database()
        self._add_logs()

    def _add_work(self) -> None:
        """Add those of what is asked, stored and read, and of what others take to answer."""
        self.requests = self._histogram(
            "trawl_request_duration_seconds",
            "Time until a request's answer was sent",
            ["route", "method", "status"],
        )
        self.upstream = self._histogram(
            "trawl_upstream_duration_seconds", "Time of calls to services of others", ["upstream", "outcome"]
        )
        self.ingested = {
            kind: self._counter(f"trawl_{kind}_taken", f"{kind.capitalize()} that were stored or read")
            for kind in ("events", "visits", "lines")
        }
        self.dropped = self._counter(
            "trawl_rows_dropped", "Visits and events that were dropped for their age", ["kind"]
        )
        self.operations = self._gauge(
            "trawl_operations_per_second", "Requests a second, over the last seconds"
        )
        self.request_series: dict[tuple[str, str, int], Any] = {}

    def _add_processes(self) -> None:
        """Add those of what the workers take of the machine."""
        self.cpu = self._counter("process_cpu_seconds", "User and system CPU time of the workers")
        self.memory = self._gauge("process_resident_memory_bytes", "Resident memory of the workers")
        self.workers = self._gauge("trawl_workers", "Workers that serve")
        self.loop_lag = self._gauge(
            "trawl_event_loop_lag_seconds", "How late a timer fired, in the slowest worker", mode="livemax"
        )

    def _add_bounds(self) -> None:
        """Add those of how near the bounds of the server are, and of whom they refuse."""
        self.refusals = self._counter(
            "trawl_refusals", "Requests that a bound of the server refused", ["bound"]
        )
        self.bound_use = self._gauge("trawl_bound_use", "How much of a bound is in use", ["bound"])
        self.bound_limit = self._gauge("trawl_bound_limit", "The bound, of all workers", ["bound"])

    def _add_database(self) -> None:
        """Add those of what is there: the parts, the connections, the replica."""
        self.up = self._gauge("trawl_up", "Whether a part is there", ["part"], mode="mostrecent")
        self.pool = self._gauge("trawl_db_pool_connections", "Connections to PostgreSQL", ["state"])
        self.replica_up = self._gauge(
            "trawl_replica_up", "Whether the replica is read from", mode="mostrecent"
        )
        self.replica_lag = self._gauge(
            "trawl_replica_lag_seconds",
            "How far the replica is behind, for the slowest worker",
            mode="livemax",
        )
        self.fall_backs = self._counter(
            "trawl_replica_fall_backs", "Reads that the primary served for the replica", ["reason"]
        )

    def _add_logs(self) -> None:
        """Add those of how visits are read from files, and of how much of the log is not."""
        self.column_reads = self._counter(
            "trawl_column_reads", "Parts of visits that were mapped from a file, or decoded", ["way"]
        )
        self.column_cache = self._gauge(
            "trawl_column_cache_bytes", "Files of decoded columns, when last looked at", mode="mostrecent"
        )
        self.import_lag = self._gauge(
            "trawl_import_lag_bytes", "Bytes of LOGS_FILE that are not imported", mode="mostrecent"
        )

    def _histogram(self, name: str, text: str, labels: Iterable[str]) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=BUCKETS)

    def _counter(self, name: str, text: str, labels: Iterable[str] = ()) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(
        self,
        name: str,
        text: str,
        labels: Iterable[str] = (),
        *,
        mode: Literal["livesum", "livemax", "mostrecent"] = "livesum",
    ) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry, multiprocess_mode=mode)


@dataclass(slots=True)
class _State:
    metrics: Metrics | None = None
    requests: int = 0


_state = _State()


def current() -> Metrics:
    """Return the metrics of this process, made at the first call: a fork must not share them."""
    if _state.metrics is None:
        _state.metrics = Metrics()
    return _state.metrics


def reset() -> None:
    """Replace this process's metrics by new ones, stored where prometheus_client is configured to."""
    _state.metrics = Metrics()


def count_ingested(kind: Ingested, number: int) -> None:
    """Count events or visits that were stored, or log lines that were read."""
    current().ingested[kind].inc(number)


def count_dropped(kind: Dropped, number: int) -> None:
    """Count visits or events that were dropped for their age."""
    current().dropped.labels(kind).inc(number)


def observe_upstream(upstream: str, outcome: str, seconds: float) -> None:
    """Count and time a call to an external service. `outcome`: ok, or the kind of its failure."""
    current().upstream.labels(upstream, outcome).observe(seconds)


def observe_request(route: str | None, method: str, status: int, seconds: float) -> None:
    """Count and time a request. Every other `route` template and `method` is a series of its own."""
    metrics = current()
    _state.requests += 1
    key = (route or NO_ROUTE, method, status)
    series = metrics.request_series.get(key)
    if series is None:
        series = metrics.request_series[key] = metrics.requests.labels(key[0], key[1], str(status))
    series.observe(seconds)


def request_count() -> int:
    """Return how many requests this process has observed."""
    return _state.requests
