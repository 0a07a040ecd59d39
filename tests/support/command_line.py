"""Runs the command line as its users do: each command a process of its own."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Command:
    """Runs `python main.py` with settings of its own; those of this process do not reach it."""

    settings: dict[str, str]

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        inherited = {name: os.environ[name] for name in os.environ if name in {"PATH", "HOME", "LANG"}}
        traced = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        return subprocess.Popen(
            [sys.executable, str(PROJECT / "main.py"), *arguments],
            cwd=PROJECT,
            env=inherited | traced | {"COLUMNS": "100"} | self.settings | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, text: str = "", **settings: str) -> tuple[int, str, str]:
        """Returns the exit code, the output, and the lines of the error output that are no log lines."""
        process = self.start(*arguments, **settings)
        output, errors = process.communicate(text, timeout=30)
        told = [line for line in errors.splitlines() if not line.startswith("{")]
        return process.returncode, output, "\n".join(told)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def call(url: str, *, token: str | None = None, body: Mapping[str, Any] | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": token} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.load(response)


def wait_until_ready(url: str) -> None:
    end = time.monotonic() + 20
    while True:
        try:
            call(f"{url}/ready")
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < end, "the server is not ready"
            time.sleep(0.05)
        else:
            return
