"""The embedded Valkey: a cache that keeps nothing on disk."""

import signal
import subprocess
from pathlib import Path

from embedded.account import make_private_directory, service_account
from embedded.binaries import find_valkey, reachable_valkey
from embedded.child import processes_in, spawn
from embedded.log_file import LogFile
from embedded.probe import HealthProbe
from embedded.sockets import remove_socket_directory, socket_directory
from embedded.tuning import DEFAULT, Tuning

SOCKET = "valkey.sock"
SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "save": "",
    "appendonly": "no",
    "maxmemory": "256mb",
    # Every key has an expiry; where memory is short the least recently used ones go.
    "maxmemory-policy": "volatile-lru",
    "daemonize": "no",
}


class Valkey:
    """Valkey with `home` as its working directory, on a Unix socket that only its user and root reach."""

    name = "Valkey"
    stop_signal = signal.SIGTERM
    quit_signal = signal.SIGKILL

    def __init__(self, home: Path, tuning: Tuning = DEFAULT) -> None:
        self.home = home
        self._account = service_account(home)
        make_private_directory(home, self._account)
        self._program = reachable_valkey(find_valkey(), self._account, tuning.copy_folders)
        self._log = LogFile(home / "server.log", tuning.log_size)
        self.sockets = socket_directory(home, SOCKET, self._account)

    @staticmethod
    def url(sockets: Path) -> str:
        """Return the redis-py URL of the socket in `sockets`."""
        return f"unix://{sockets / SOCKET}"

    @staticmethod
    def probe_at(sockets: Path) -> HealthProbe:
        return HealthProbe(
            sockets / SOCKET, b"PING\r\n", lambda response: response.endswith(b"\r\n"), goodbye=b""
        )

    @staticmethod
    def is_ready(response: bytes) -> bool:
        return response.startswith(b"+PONG")

    def probe(self) -> HealthProbe:
        return self.probe_at(self.sockets)

    def set_up(self) -> None:
        """Do nothing: Valkey makes its files itself."""

    def orphans(self) -> list[int]:
        return processes_in(self.home, self._program.name, self._account)

    def spawn(self) -> subprocess.Popen[bytes]:
        (self.sockets / SOCKET).unlink(missing_ok=True)
        self._log.mark_start()
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

    def last_log_error(self) -> str:
        return self._log.last_line(lambda line: " # " in line)

    def rotate_log(self) -> None:
        self._log.rotate()

    def reconfigure(self) -> bool:
        return False

    def clean_up(self) -> None:
        remove_socket_directory(self.sockets, self.home)
