"""The embedded PostgreSQL: how it is set up, started and probed."""

import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from logging import getLogger
from pathlib import Path
from typing import ClassVar

from embedded.account import make_private_directory, service_account
from embedded.binaries import find_postgres, reachable_postgres
from embedded.child import processes_in, run, spawn
from embedded.disk_guard import DiskGuard
from embedded.errors import EmbeddedError
from embedded.log_file import LogFile
from embedded.probe import HealthProbe
from embedded.sockets import remove_socket_directory, socket_directory
from embedded.tuning import DEFAULT, Tuning

logger = getLogger("trawl.embedded")

ROLE = DATABASE = "trawl"
SOCKET = ".s.PGSQL.5432"
BUILTIN_LOCALES_SINCE = 17  # major release
# No setting makes a commit less durable: fsync, synchronous_commit and full_page_writes are on.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "cluster_name": "trawl",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    # Bounds how long a killed server replays its log, at some 100 MB/s: it must be back within 15 s.
    "max_wal_size": "1GB",
    "min_wal_size": "256MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements hold personal data, and a violated unique key is not news.
    "log_min_error_statement": "panic",
}
HEAD = struct.Struct("!ci")  # of a message: its kind, and its length with these four bytes
LENGTH = 4
FULL = b"\0C53300\0"  # the SQLSTATE of too many connections, among the fields of an error
ERROR = re.compile(r"\b(?:error|ERROR|FATAL|PANIC): +(.*)")
# One statement a line: the single-user server reads them so.
SET_UP = f"CREATE ROLE {ROLE} LOGIN;\nCREATE DATABASE {DATABASE} OWNER {ROLE};\n"


class Postgres:
    """PostgreSQL with its data in `home`/data, on a Unix socket that only its own user and root reach."""

    name = "PostgreSQL"
    settings: ClassVar[Mapping[str, str]] = SETTINGS
    stop_signal = signal.SIGINT
    quit_signal = signal.SIGQUIT

    def __init__(self, home: Path, tuning: Tuning = DEFAULT) -> None:
        self.home = home
        self.data = home / "data"
        self._account = service_account(home)
        make_private_directory(home, self._account)
        self._programs = reachable_postgres(find_postgres(), self._account, tuning.copy_folders)
        self._log = LogFile(home / "server.log", tuning.log_size)
        self._disk = DiskGuard(self.data)
        self.sockets = socket_directory(home, SOCKET, self._account)

    @staticmethod
    def is_set_up(home: Path) -> bool:
        """Return whether there are data in `home`."""
        return (home / "data" / "PG_VERSION").exists()

    @staticmethod
    def url(sockets: Path) -> str:
        """Return the libpq URL of the database behind the socket in `sockets`."""
        return f"postgresql://{ROLE}@/{DATABASE}?host={sockets}&port=5432"

    @staticmethod
    def probe_at(sockets: Path) -> HealthProbe:
        """Sign in and leave again: a server that is starting up accepts connections, but no sign-in."""
        sign_in = struct.pack("!i", 3 << 16) + f"user\0{ROLE}\0database\0{DATABASE}\0\0".encode()
        request = struct.pack("!i", len(sign_in) + 4) + sign_in
        return HealthProbe(sockets / SOCKET, request, _is_complete, goodbye=struct.pack("!ci", b"X", 4))

    @staticmethod
    def is_ready(response: bytes) -> bool:
        """Return whether the server serves: it takes the sign-in, or has too many clients already."""
        return any(kind == b"Z" or (kind == b"E" and FULL in body) for kind, body in messages(response))

    def probe(self) -> HealthProbe:
        return self.probe_at(self.sockets)

    def set_up(self) -> None:
        """Make the data directory if there is none, and remove what an interrupted attempt left behind.

        :raises EmbeddedError: it can't be made, or holds something else
        """
        unfinished = self.home / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        if self.is_set_up(self.home):
            return
        if self.data.exists():
            raise EmbeddedError(f"{self.data} holds no PostgreSQL data: move it away")
        start = time.monotonic()
        logger.info("setting up PostgreSQL in %s (once)", self.home)
        try:
            make_private_directory(unfinished, self._account)
            self._initdb(unfinished)
            unfinished.rename(self.data)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        logger.info("set up PostgreSQL in %.1f s", time.monotonic() - start)

    def orphans(self) -> list[int]:
        return processes_in(self.data, "postgres", self._account)

    def spawn(self) -> subprocess.Popen[bytes]:
        # No postgres works in the data directory any more, so these name dead processes, or strangers
        # that got their numbers since: PostgreSQL would take a stranger for another server and refuse.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for name in (SOCKET, f"{SOCKET}.lock"):
            (self.sockets / name).unlink(missing_ok=True)
        self._disk.prepare()
        self._log.mark_start()
        # Where only root can enter the directories above, a path from the data directory still leads on.
        sockets = ".." if self.sockets == self.home else str(self.sockets)
        settings = {**self.settings, "unix_socket_directories": sockets}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return spawn(
            [self._programs.postgres, "-D", self._here(self.data), *options],
            cwd=self.data,
            log=self._log.path,
            account=self._account,
            death_signal=self.quit_signal,
        )

    def last_log_error(self) -> str:
        """Return the last FATAL or PANIC line of the log, but for those that only say it starts or stops."""
        return self._log.last_line(
            lambda line: ("FATAL:" in line or "PANIC:" in line) and " system is " not in line
        )

    def rotate_log(self) -> None:
        self._log.rotate()

    def reconfigure(self) -> bool:
        return self._disk.update()

    def clean_up(self) -> None:
        remove_socket_directory(self.sockets, self.home)

    def _here(self, directory: Path) -> str:
        """Return a path to `directory` for a process that has it as working directory.

        Another user may not be able to walk there, but the kernel's link always leads back.
        """
        return str(directory) if self._account is None or sys.platform != "linux" else "/proc/self/cwd"

    def _initdb(self, directory: Path) -> None:
        initdb: list[str | Path] = [self._programs.initdb, "-D", self._here(directory), "--username=postgres"]
        initdb += [
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--data-checksums",
            "--no-instructions",
        ]
        if self._has_builtin_locales():
            initdb += ["--locale-provider=builtin"]
        self._run(initdb, directory)
        self._run(
            [self._programs.postgres, "--single", "-D", self._here(directory), "postgres"], directory, SET_UP
        )

    def _has_builtin_locales(self) -> bool:
        _, version = run([self._programs.postgres, "--version"], cwd=self.home, account=self._account)
        return int(version.split()[2].split(".")[0]) >= BUILTIN_LOCALES_SINCE

    def _run(self, command: list[str | Path], directory: Path, text: str = "") -> None:
        code, output = run(command, cwd=directory, account=self._account, text=text)
        if code != 0 or "ERROR:" in output:
            # The last line is often "removing contents of data directory", and the error is above it.
            errors = ERROR.findall(output) or output.split("\n")
            raise EmbeddedError(f"PostgreSQL can't be set up in {self.home}: {errors[-1]}")


def _is_complete(response: bytes) -> bool:
    """Return whether the response ends: ready for a query, or an error, after which the server hangs up."""
    return any(kind in (b"Z", b"E") for kind, _ in messages(response))


def messages(response: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the body of each whole message of PostgreSQL's protocol."""
    start = 0
    while len(response) >= start + HEAD.size:
        kind, length = HEAD.unpack_from(response, start)
        end = start + 1 + length
        if length < LENGTH or end > len(response):
            return
        yield kind, response[start + HEAD.size : end]
        start = end
