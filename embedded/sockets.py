"""Unix sockets: where they lie, and asking the server behind one whether it is there."""

import hashlib
import os
import re
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from embedded.account import Account, private_directory
from embedded.errors import EmbeddedError

# `sun_path` holds 108 bytes with the NUL at its end.
LONGEST_PATH = 107
# The second is for a TMPDIR that is too long a path itself.
TEMPORARY = (Path(tempfile.gettempdir()), Path("/tmp"))  # noqa: S108 - a stranger's folder is refused
# A URL's reader splits a host at commas and colons and decodes percent signs.
PLAIN_PATH = re.compile(r"[A-Za-z0-9/._-]+")


def socket_directory(home: Path, name: str, account: Account | None) -> Path:
    """The directory for the socket `name`: `home`, or a short private one if the path would not do."""
    if _fits(home / name):
        return home
    identity = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    for base in _short_directories(account):
        directory = base / f"trawl-{identity}"
        if not _fits(directory / name) or not os.access(base, os.W_OK | os.X_OK):
            continue
        if directory.is_symlink():
            raise EmbeddedError(f"{directory} is a link that somebody put there: remove it")
        private_directory(directory, account)
        return directory
    raise EmbeddedError(f"{home} is too long a path for a socket: set a shorter DATA_DIR")


def leave_socket_directory(directory: Path, home: Path) -> None:
    """Remove the short directory, if there was need of one, once nothing is in it."""
    if directory != home:
        with suppress(OSError):
            directory.rmdir()


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST_PATH and PLAIN_PATH.fullmatch(str(path)) is not None


def _short_directories(account: Account | None) -> list[Path]:
    """Candidates that clients and servers both reach, the safest first; root's servers are another user."""
    if account is not None:
        return [Path("/run"), *TEMPORARY]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    own = [Path(runtime)] if runtime.startswith("/") else []
    return [*own, *TEMPORARY]


class Question:
    """One question to the server at a Unix socket, asked without ever waiting for it."""

    def __init__(self, path: Path, request: bytes, complete: Callable[[bytes], bool], goodbye: bytes) -> None:
        """`complete` tells of all bytes received so far whether they are the whole answer."""
        self.answer = b""
        self.failed = False
        self._complete = complete
        self._goodbye = goodbye
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(request)
        except OSError:
            # Nobody listens, or so many wait there already that the server must be stuck.
            self._fail()

    def answered(self) -> bool:
        """Whether the whole answer has come; `failed` says that none will come any more."""
        while not self.failed and not self._complete(self.answer):
            try:
                received = self._socket.recv(4096)
            except BlockingIOError:
                return False
            except OSError:
                received = b""
            if not received:
                self._fail()
            self.answer += received
        if not self.failed:
            self._say_goodbye()
        return not self.failed

    def close(self) -> None:
        self._socket.close()

    def _say_goodbye(self) -> None:
        """PostgreSQL logs every client that leaves without a word, unless it was the one to hang up."""
        with suppress(OSError):
            self._socket.sendall(self._goodbye)
        self.close()

    def _fail(self) -> None:
        self.failed = True
        self.close()
