"""Metrics over all workers, also those that have died.

A worker calls `store_in` before it serves. From then on its metrics are in files that the other workers read
too, and that its successor continues. A command that imports adds its metrics to those of a server by
`count_into`. Without either they are this process's alone.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, values
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from telemetry import metrics

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
MAX_COMMANDS = 16


def clear(folder: Path) -> None:
    """Delete the metrics of an earlier server, before any worker writes."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def store_in(folder: Path, worker: str) -> None:
    """Store this process's metrics in files of the worker's name, which outlive it."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker)
    metrics.reset()


def mark_worker_dead(folder: Path, worker: str) -> None:
    """Drop the gauges of a worker that has died; its counters stay."""
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
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder is None:
        return generate_latest(metrics.current().registry)
    registry = CollectorRegistry()
    registry.register(_WorkerFiles(Path(folder)))
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
