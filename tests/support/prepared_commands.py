"""Lets programs run in a prepared interpreter: one a test process, started with the first program."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TextIO

from tests.support.processes import PATIENCE

PROGRAM = Path(__file__).with_name("prepared_interpreter.py")
PROJECT = PROGRAM.parents[2]
Mounts = Sequence[tuple[Path, Path]]  # a folder and the one in whose place it is seen


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

    def start(self, arguments: list[str], environment: Mapping[str, str], mounts: Mounts = ()) -> "Program":
        """Start a Python program. Its standard streams are pipes."""
        (stdin, to_stdin), (from_stdout, stdout), (from_stderr, stderr) = (os.pipe() for _ in range(3))
        answer, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        places = [(str(folder), str(place)) for folder, place in mounts]
        request = {"arguments": arguments, "environment": dict(environment), "mounts": places}
        socket.send_fds(
            self._requests, [json.dumps(request).encode()], [stdin, stdout, stderr, theirs.fileno()]
        )
        theirs.close()
        for file in (stdin, stdout, stderr):
            os.close(file)
        answer.settimeout(PATIENCE)
        streams = (os.fdopen(to_stdin, "w"), os.fdopen(from_stdout), os.fdopen(from_stderr))
        return Program(int(answer.recv(100)), answer, *streams)

    def close(self) -> None:
        self._requests.close()
        self._process.communicate()


@dataclass
class Program:
    """A running program, with what tests use of `subprocess.Popen`; it is no child of this process."""

    pid: int
    _answer: socket.socket  # tells the exit code
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    returncode: int | None = None
    _outputs: tuple[str, str] | None = None

    def poll(self) -> int | None:
        """Return the exit code; None while it runs."""
        with suppress(TimeoutError):
            return self.wait(0)
        return None

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end; returns the exit code.

        :raises TimeoutError: it still runs
        """
        if self.returncode is None:
            ready = select.poll()  # a test may hold thousands of files, and `select` takes a thousand
            ready.register(self._answer, select.POLLIN)
            if not ready.poll(timeout * 1000):
                raise TimeoutError(f"the program {self.pid} does not end")
            self.returncode = int(self._answer.recv(100))
            self._answer.close()
        return self.returncode

    def communicate(self, text: str = "", timeout: float = PATIENCE) -> tuple[str, str]:
        """Write its input and wait for its end; returns its output and error output, again if asked again.

        :raises TimeoutError: it has not ended in time, and is killed
        """
        if self._outputs is None:
            self._outputs = self._exchange(text, timeout)
        return self._outputs

    def _exchange(self, text: str, timeout: float) -> tuple[str, str]:
        with self.stdout, self.stderr, ThreadPoolExecutor(3) as threads:
            threads.submit(write, self.stdin, text)
            outputs = [threads.submit(stream.read) for stream in (self.stdout, self.stderr)]
            try:
                self.wait(timeout)
            except TimeoutError:
                self.kill()
                raise
            output, errors = (each.result() for each in outputs)
        return output, errors

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def write(stream: TextIO, text: str) -> None:
    with suppress(BrokenPipeError), stream:
        stream.write(text)


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
        program = interpreter().start([file.name, *arguments], path)
        _, errors = program.communicate()
        sys.stderr.write(errors)
    return program.wait()
