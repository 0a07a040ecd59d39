"""Two lock files of a DATA_DIR, which the kernel frees: who runs its servers, and who else uses them."""

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
    """What the process that runs the servers writes about itself."""

    pid: int
    exclusive: bool
    sockets: dict[str, str]
    """The directory of the socket of each server that it runs, by the server's name."""


class DataDirLock:
    """The locks of one process on one DATA_DIR.

    Forks inherit them: an owner's are held until its last worker has ended, or until `close`.
    """

    def __init__(self, data_dir: Path) -> None:
        self._owner = _open(data_dir / OWNER)
        self._sharers = _open(data_dir / SHARERS)

    def try_own(self) -> bool:
        """Try to become the owner; returns whether this process is."""
        owned = _try(self._owner, fcntl.LOCK_EX)
        if owned:
            # What the previous owner wrote is no longer true.
            self._owner.truncate(0)
        return owned

    def try_share(self) -> bool:
        """Try to become a sharer, for whom an owner that is a command keeps the servers running."""
        return _try(self._sharers, fcntl.LOCK_SH)

    def unshare(self) -> None:
        fcntl.flock(self._sharers, fcntl.LOCK_UN)

    def try_exclude_sharers(self) -> bool:
        """Try to become the only user of the servers; from then on nobody can share them."""
        return _try(self._sharers, fcntl.LOCK_EX)

    def write_owner(self, owner: Owner) -> None:
        self._owner.seek(0)
        self._owner.truncate()
        json.dump(asdict(owner), self._owner)
        self._owner.flush()

    def read_owner(self) -> Owner | None:
        """Return the process that owns the servers; None until it has written who it is."""
        self._owner.seek(0)
        try:
            return Owner(**json.loads(self._owner.read()))
        except ValueError:
            return None

    def close(self) -> None:
        """Release the locks, also those that living forks inherited."""
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
