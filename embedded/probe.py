"""Asks the server behind a Unix socket whether it is well, without ever waiting for it."""

import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class HealthProbe:
    """One request to a server. Call `poll` until it is true, or `failed` is."""

    def __init__(
        self, path: Path, request: bytes, is_complete: Callable[[bytes], bool], goodbye: bytes
    ) -> None:
        """Send `request`. `is_complete` says of the bytes received so far whether they are the response.

        `goodbye` is sent after it.
        """
        self.response = b""
        self.failed = False
        self._is_complete = is_complete
        self._goodbye = goodbye
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.setblocking(False)
        try:
            self._socket.connect(str(path))
            self._socket.sendall(request)
        except OSError:
            # Nobody listens, or so many wait there already that the server must be stuck.
            self._fail()

    def poll(self) -> bool:
        """Read what has arrived. Return whether the response is complete; `failed` is set if it can't be."""
        while not self.failed and not self._is_complete(self.response):
            try:
                received = self._socket.recv(4096)
            except BlockingIOError:
                return False
            except OSError:
                received = b""
            if not received:
                self._fail()
            self.response += received
        if not self.failed:
            self._say_goodbye()
        return not self.failed

    def close(self) -> None:
        self._socket.close()

    def _say_goodbye(self) -> None:
        """Leave in order: PostgreSQL logs every client that just hangs up, unless it hung up first."""
        with suppress(OSError):
            self._socket.sendall(self._goodbye)
        self.close()

    def _fail(self) -> None:
        self.failed = True
        self.close()
