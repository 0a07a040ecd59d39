"""Metrics over all workers, also those that have died.

A worker calls `store_in` before it serves. From then on its metrics are in files that the other workers read
too, and that its successor continues. A command that imports adds its metrics to those of a server by
`count_into`. Without either, and where there is no room for files, they are this process's alone.
"""

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from telemetry import metrics
from telemetry.value_files import ValueFiles

log = structlog.get_logger("trawl.metrics")

MAX_COMMANDS = 16


@dataclass(slots=True)
class _State:
    folder: Path | None = None


_state = _State()


def store_in(folder: Path | None, worker: str) -> None:
    """Store this process's metrics in files of the worker's name, which outlive it; None for no files."""
    if folder is None:
        return
    try:
        values.ValueClass = ValueFiles(folder, worker)
    except OSError as error:
        log.warning("metrics_in_process", cause=error.strerror or str(error))
        return
    _state.folder = folder
    metrics.reset()


def mark_worker_dead(folder: Path | None, worker: str) -> None:
    """Drop the gauges of a worker that has died; its counters stay."""
    if folder is not None:
        with suppress(OSError):
            mark_process_dead(worker, str(folder))


@contextmanager
def count_into(folder: Path | None) -> Iterator[None]:
    """Add this command's metrics to those in `folder`, where a server's workers store theirs; None for none.

    At most 16 commands at a time count there, each under a name of its own that the next one reuses.
    """
    if folder is None:
        yield
        return
    with ExitStack() as stack:
        for name in (f"command-{number}" for number in range(1, MAX_COMMANDS + 1)):
            # Another user's file, or locked by another command: the next name is as good.
            with suppress(OSError):
                lock = stack.enter_context((folder / f"{name}.lock").open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                store_in(folder, name)
                stack.callback(mark_worker_dead, folder, name)
                break
        yield


def exposition() -> bytes:
    """Return the metrics of all workers in Prometheus's text format."""
    if _state.folder is None:
        return generate_latest(metrics.current().registry)
    registry = CollectorRegistry()
    registry.register(_WorkerFiles(_state.folder))
    return generate_latest(registry)


class _WorkerFiles(Collector):
    """Collects the files of all workers but empty ones, just created, which the library rejects."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.iterdir() if file.suffix == ".db" and _is_filled(file)]
        families: Iterable[Metric] = MultiProcessCollector.merge(files)
        return families


def _is_filled(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # the gauge of a worker that died meanwhile
        return False
