"""The directories of Unix sockets, whose paths must be short."""

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from pathlib import Path

from embedded.account import Account, make_private_directory
from embedded.errors import EmbeddedError

# `sun_path` holds 108 bytes with the NUL at its end.
LONGEST_PATH = 107
# The second is for a TMPDIR that is too long a path itself.
TEMPORARY = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - a stranger's folder is refused
# A URL's reader splits a host at commas and colons and decodes percent signs.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


def socket_directory(home: Path, name: str, account: Account | None) -> Path:
    """Return the directory for the socket `name`: `home`, else a short private one, which is made.

    :raises EmbeddedError: no directory is short enough, or a link is in its place
    """
    if _fits(home / name):
        return home
    identity = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    for base in _short_directories(account):
        directory = base / f"trawl-{identity}"
        if not _fits(directory / name) or not os.access(base, os.W_OK | os.X_OK):
            continue
        if directory.is_symlink():
            raise EmbeddedError(f"{directory} is a link that somebody put there: remove it")
        make_private_directory(directory, account)
        return directory
    raise EmbeddedError(f"{home} is too long a path for a socket: set a shorter DATA_DIR")


def remove_socket_directory(directory: Path, home: Path) -> None:
    """Remove the short directory, if there is one, once it is empty."""
    if directory != home:
        with suppress(OSError):
            directory.rmdir()


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_PATH and PLAIN_PATH.fullmatch(str(path)) is not None


def _short_directories(account: Account | None) -> list[Path]:
    """Return candidates that clients and servers both reach, the safest first.

    The servers of root run as another user, so root's own runtime directory is none of them.
    """
    if account is not None:
        return [Path("/run"), *TEMPORARY]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    own = [Path(runtime)] if runtime.startswith("/") else []
    return [*own, *TEMPORARY]
