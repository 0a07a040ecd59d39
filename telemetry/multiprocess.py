"""Metrics over all workers, also those that have died.

A worker calls `keep_in` before it serves. From then on its numbers stand in files that the others read
too, and that the worker that takes its place continues. A command that imports lends its numbers to a
server by `lent_to`. Without either they are this process's alone.
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


def empty(folder: Path) -> None:
    """Begin anew: no worker writes here yet."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def keep_in(folder: Path, worker: str) -> None:
    """Keep this process's numbers in files of the worker's name, which outlive it."""
    os.environ[FOLDER_VARIABLE] = str(folder)
    values.ValueClass = values.MultiProcessValue(process_identifier=lambda: worker)
    metrics.start_over()


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
        return generate_latest(metrics.current().registry)
    registry = CollectorRegistry()
    registry.register(_WorkerFiles(Path(folder)))
    return generate_latest(registry)


class _WorkerFiles(Collector):
    """The files of all workers, but those that one is just making: the library trips over an empty file."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        files = [str(file) for file in self._folder.iterdir() if file.suffix == ".db" and _is_filled(file)]
        merged: Iterable[Metric] = MultiProcessCollector.merge(files)
        return merged


def _is_filled(file: Path) -> bool:
    try:
        return file.stat().st_size > 0
    except FileNotFoundError:  # a gauge of a worker that has died since
        return False
