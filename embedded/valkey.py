"""The embedded Valkey: a cache that keeps nothing on disk."""

import signal
import subprocess
from pathlib import Path

from embedded.account import private_directory, service_account
from embedded.binaries import find_valkey, reachable_valkey
from embedded.child import processes_in, spawn
from embedded.log_file import LogFile
from embedded.sockets import Question, leave_socket_directory, socket_directory

SOCKET = "valkey.sock"
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    # All that is kept here has an end: what is oldest gives way.
    "maxmemory-policy": "volatile-lru",
    "daemonize": "no",
}


class Valkey:
    """Valkey that works in `home`, on a Unix socket that only its own user and root reach."""

    name = "Valkey"
    stop_signal = signal.SIGTERM
    quit_signal = signal.SIGKILL

    def __init__(self, home: Path) -> None:
        self.home = home
        self._account = service_account(home)
        private_directory(home, self._account)
        self._program = reachable_valkey(find_valkey(), self._account)
        self._log = LogFile(home / "server.log")
        self.sockets = socket_directory(home, SOCKET, self._account)

    @staticmethod
    def url(sockets: Path) -> str:
        """The redis-py URL of the socket in `sockets`."""
        return f"unix://{sockets / SOCKET}"

    @staticmethod
    def ask_at(sockets: Path) -> Question:
        return Question(sockets / SOCKET, b"PING\r\n", lambda answer: answer.endswith(b"\r\n"), goodbye=b"")

    @staticmethod
    def is_ready(answer: bytes) -> bool:
        return answer.startswith(b"+PONG")

    def ask(self) -> Question:
        return self.ask_at(self.sockets)

    def set_up(self) -> None:
        """There is nothing to set up."""

    def strays(self) -> list[int]:
        return processes_in(self.home, self._program.name, self._account)

    def spawn(self) -> subprocess.Popen[bytes]:
        (self.sockets / SOCKET).unlink(missing_ok=True)
        self._log.begin()
        # As another user it may not be able to walk to its own directory: it is there already.
        path = SOCKET if self.sockets == self.home else str(self.sockets / SOCKET)
        options = [part for name, value in SETTINGS.items() for part in (f"--{name}", value)]
        return spawn(
            [self._program, "--unixsocket", path, *options],
            cwd=self.home,
            log=self._log.path,
            account=self._account,
            death_signal=signal.SIGKILL,
        )

    def complaint(self) -> str:
        return self._log.last(lambda line: " # " in line)

    def tidy(self) -> None:
        self._log.tidy()

    def leave(self) -> None:
        leave_socket_directory(self.sockets, self.home)
