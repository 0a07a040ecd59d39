"""Runs the command line as its users do: each command a process of its own."""

import asyncio
import atexit
import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from tests.support.prepared_commands import Mounts, Program, interpreter
from tests.support.processes import PATIENCE, eventually

PROJECT = Path(__file__).parents[2]
TINY_SERVER = PROJECT / "tests/support/tiny_server.py"
Running = subprocess.Popen[str] | Program
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Command:
    """Runs `python main.py` with these settings, and none of this process.

    :param mounts: folders that a fork alone sees in the place of others; only for root
    """

    settings: dict[str, str]
    program: Path = PROJECT / "main.py"
    mounts: Mounts = ()

    def environment(self) -> dict[str, str]:
        inherited = {name: os.environ[name] for name in os.environ if name in {"PATH", "HOME", "LANG"}}
        coverage = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        return inherited | coverage | {"COLUMNS": "100"} | self.settings

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, str(self.program), *arguments],
            cwd=PROJECT,
            env=self.environment() | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, text: str = "", **settings: str) -> tuple[int, str, str]:
        """Return the exit code, the output, and the error output without log lines."""
        code, output, errors = self.run_with_log(*arguments, text=text, **settings)
        messages = [line for line in errors.splitlines() if not line.startswith("{")]
        return code, output, "\n".join(messages)

    def run_with_log(self, *arguments: str, text: str = "", **settings: str) -> tuple[int, str, str]:
        """Return the exit code, the output, and the whole error output.

        The caller must not hold an event loop: its server may hold a lock that the command waits for.
        """
        assert not is_in_event_loop(), "await run_beside"
        process = self.fork(*arguments, **settings)
        output, errors = process.communicate(text, timeout=PATIENCE)
        return process.wait(), output, errors

    def fork(self, *arguments: str, **settings: str) -> Running:
        """Start it in an interpreter that has imported it already: imports are most of a server's start."""
        environment = self.environment() | settings
        if not self.mounts and any(name.startswith("COV") for name in environment):  # coverage sees no forks
            return self.start(*arguments, **settings)
        return interpreter().start([str(self.program), *arguments], environment, self.mounts)

    async def run_beside(self, *arguments: str, text: str = "", **settings: str) -> tuple[int, str, str]:
        """Do the same beside a server of this event loop, which may hold a lock the command waits for."""
        return await asyncio.to_thread(self.run, *arguments, text=text, **settings)


def is_in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def free_port() -> int:
    """Return a port that nobody else gets until this process ends.

    A socket is bound to it and does not listen. Its options let Trawl bind too.
    """
    reservation = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        reservation.setsockopt(socket.SOL_SOCKET, option, 1)
    reservation.bind(("127.0.0.1", 0))
    atexit.register(reservation.close)
    port: int = reservation.getsockname()[1]
    return port


def call(url: str, *, token: str | None = None, body: Mapping[str, Any] | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        return json.load(response)


def wait_until_ready(url: str, process: Running | None = None) -> None:
    """Wait until a server is ready, for as long as its process lives."""

    def watch() -> None:
        assert process is None or process.poll() is None, f"the server has ended with {process.returncode}"

    assert eventually(lambda: is_ready(url), watch=watch), "the server is not ready"


def is_ready(url: str) -> bool:
    try:
        call(f"{url}/ready")
    except (OSError, HTTPException):
        return False
    return True
