"""The folder of a server's metrics: in memory where that can be, else on the disk of DATA_DIR.

A server makes one of its own and holds a lock in it until its last process has ended. Commands find it by
DATA_DIR. What servers that were killed have left is removed at the next start.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO

import structlog

from telemetry.value_files import FIRST_BYTES, KINDS, allocate

log = structlog.get_logger("trawl.metrics")

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder that only this user can enter is made in it
LOCK = "server.lock"


def candidates(data_dir: Path) -> list[Path]:
    """Return the places for a server's folder as path prefixes, the best first."""
    digest = sha256(os.fsencode(data_dir.absolute())).hexdigest()[:16]
    return [MEMORY / f"trawl-metrics-{digest}-", data_dir / "metrics" / "server-"]


@contextmanager
def open_folder(prefixes: Sequence[Path]) -> Iterator[Path | None]:
    """Make a folder at the first place that has room, and remove it at the end; None if none has any."""
    made = None
    for prefix in prefixes:
        with suppress(OSError):
            remove_abandoned(prefix)
        try:
            made = make_folder(prefix)
        except OSError as error:
            log.warning("metrics_folder_refused", folder=str(prefix.parent), cause=error.strerror)
        else:
            break
    if made is None:
        log.warning("metrics_in_process", cause="no folder has room for the metrics of all workers")
        yield None
        return
    folder, lock = made
    try:
        yield folder
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def make_folder(prefix: Path) -> tuple[Path, IO[bytes]]:
    """Make and lock a folder that nobody else can enter.

    :raises OSError: it can't be made, or there is no room for the files of a worker
    """
    prefix.parent.mkdir(parents=True, exist_ok=True)
    draft, lock = Path(tempfile.mkdtemp(prefix=f".{prefix.name}", dir=prefix.parent)), None
    try:
        lock = (draft / LOCK).open("wb")
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        trial = draft / "trial"
        allocate(trial, FIRST_BYTES * len(KINDS))
        trial.unlink()
        # Under its name it is locked from the beginning: without a lock it would count as abandoned.
        folder = draft.rename(prefix.parent / draft.name.removeprefix("."))
    except OSError:
        if lock is not None:
            lock.close()
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return folder, lock


def remove_abandoned(prefix: Path) -> None:
    """Remove the folders of servers that have ended without doing so."""
    for folder in folders_at(prefix):
        if not is_alive(folder):
            shutil.rmtree(folder, ignore_errors=True)


def find_folder(prefixes: Sequence[Path]) -> Path | None:
    """Return the folder of the server that started last and still runs; None without one."""
    alive = [folder for prefix in prefixes for folder in folders_at(prefix) if is_alive(folder)]
    return max(alive, key=lambda folder: folder.stat().st_mtime, default=None)


def folders_at(prefix: Path) -> list[Path]:
    """Return this user's folders at a place: others may make some of that name in a shared one."""
    return [
        folder
        for folder in prefix.parent.glob(f"{prefix.name}*")
        if not folder.is_symlink() and folder.is_dir() and folder.stat().st_uid == os.geteuid()
    ]


def is_alive(folder: Path) -> bool:
    """Return whether a process of the folder's server runs."""
    try:
        with (folder / LOCK).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
