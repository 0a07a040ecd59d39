"""Who runs the servers of a DATA_DIR, and who else uses them: two lock files, which the kernel frees."""

import fcntl
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

OWNER = "servers.lock"
SHARERS = "sharers.lock"


@dataclass(frozen=True)
class Owner:
    """What the owner of the servers wrote about itself."""

    pid: int
    exclusive: bool
    sockets: dict[str, str]
    """Name of a server → the directory of its socket; only of those that run."""


class DataDirLock:
    """The locks of one process on one DATA_DIR.

    A fork inherits them: an owner's are held until the last of its workers has ended, or it lets go itself.
    """

    def __init__(self, data_dir: Path) -> None:
        self._owner = _open(data_dir / OWNER)
        self._sharers = _open(data_dir / SHARERS)

    def own(self) -> bool:
        """Try to become the owner."""
        owned = _try(self._owner, fcntl.LOCK_EX)
        if owned:
            # What the one before wrote is no longer true.
            self._owner.truncate(0)
        return owned

    def share(self) -> bool:
        """Try to be one of those that a short-lived owner waits for before it stops the servers."""
        return _try(self._sharers, fcntl.LOCK_SH)

    def unshare(self) -> None:
        fcntl.flock(self._sharers, fcntl.LOCK_UN)

    def outlast_sharers(self) -> bool:
        """Try to be the last user of the servers; from then on nobody can share them."""
        return _try(self._sharers, fcntl.LOCK_EX)

    def write_owner(self, owner: Owner) -> None:
        self._owner.seek(0)
        self._owner.truncate()
        json.dump(asdict(owner), self._owner)
        self._owner.flush()

    def read_owner(self) -> Owner | None:
        """The process that owns the servers; None while it has not said."""
        self._owner.seek(0)
        try:
            return Owner(**json.loads(self._owner.read()))
        except ValueError:
            return None

    def close(self) -> None:
        """Let go, also on behalf of forks that are still alive."""
        for file in (self._owner, self._sharers):
            fcntl.flock(file, fcntl.LOCK_UN)
            file.close()


def _open(path: Path) -> IO[str]:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600), "r+")


def _try(file: IO[str], operation: int) -> bool:
    try:
        fcntl.flock(file, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
