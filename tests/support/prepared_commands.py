"""Lets programs run in a prepared interpreter: one a test process, started with the first program."""

import atexit
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path

from tests.support.processes import PATIENCE

PROGRAM = Path(__file__).with_name("prepared_interpreter.py")
PROJECT = PROGRAM.parents[2]


class PreparedInterpreter:
    """A process that forks for each program."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            number = theirs.fileno()
            self._process = subprocess.Popen(
                [sys.executable, PROGRAM, str(number)],
                env=dict(environment),
                pass_fds=[number],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,  # no terminal, as that of programs
                stderr=subprocess.PIPE,
            )

    def run(self, arguments: list[str], environment: Mapping[str, str], text: str) -> tuple[int, str, str]:
        """Run a Python program; returns its exit code, output and error output.

        :raises TimeoutError: it has not ended in time, and is killed
        """
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (os.pipe() for _ in range(3))
        answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps({"arguments": arguments, "environment": dict(environment)}).encode()
        socket.send_fds(self._requests, [request], [stdin, stdout, stderr, theirs.fileno()])
        theirs.close()
        for file in (stdin, stdout, stderr):
            os.close(file)
        with answer, ThreadPoolExecutor(3) as threads:
            threads.submit(write, to_stdin, text)
            outputs = [threads.submit(read, file) for file in (from_stdout, from_stderr)]
            code = wait_for_end(answer)
            output, errors = (each.result() for each in outputs)
        return code, output, errors

    def close(self) -> None:
        self._requests.close()
        self._process.communicate()


def write(file: int, text: str) -> None:
    with suppress(BrokenPipeError), os.fdopen(file, "w", encoding="utf-8") as stream:
        stream.write(text)


def read(file: int) -> str:
    with os.fdopen(file, encoding="utf-8") as stream:
        return stream.read()


def wait_for_end(answer: socket.socket) -> int:
    answer.settimeout(PATIENCE)
    pid = int(answer.recv(100))
    try:
        return int(answer.recv(100))
    except TimeoutError:
        os.kill(pid, signal.SIGKILL)
        raise


@cache
def interpreter() -> PreparedInterpreter:
    """Return the interpreter of this test process, whose environment is what all commands have in common."""
    names = {"PATH", "HOME", "LANG"}
    environment = {name: value for name, value in os.environ.items() if name in names or name[:3] == "COV"}
    prepared = PreparedInterpreter(environment | {"COLUMNS": "100"})
    atexit.register(prepared.close)
    return prepared


def run_code(code: str, *arguments: str) -> int:
    """Run code of this project as a program, which may kill itself; returns its exit code."""
    path = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
        file.write(f"import sys\nsys.path[0] = {str(PROJECT)!r}\n{code}")
        file.flush()
        exit_code, _, errors = interpreter().run([file.name, *arguments], path, "")
    sys.stderr.write(errors)
    return exit_code
