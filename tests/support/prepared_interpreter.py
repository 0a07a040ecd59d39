"""Runs programs as forks of an interpreter that has imported what they need: imports cost a second each.

    python tests/support/prepared_interpreter.py FD

It is a process without threads. Programs find arguments, an environment, files 0 to 2 and a working directory
of their own.
"""

import gc
import json
import os
import runpy
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
REQUEST_BYTES = 1 << 16
FILES = 4  # of a request: standard input, output and error, and the socket for the exit code


def prepare() -> None:
    """Import what commands need, but no server, and nothing that starts threads."""
    sys.path[0] = str(PROJECT)
    from pydantic import AfterValidator, TypeAdapter  # noqa: F401, PLC0415 - typer imports them for arguments

    import main  # noqa: F401, PLC0415 - the tests import this file and need none of it
    from commands import (  # noqa: F401, PLC0415 - for its forks alone
        accounts,
        database,
        doctor,
        films,
        import_events,
        import_logs,
        openapi,
        ready,
        report,
    )

    gc.collect()
    gc.freeze()


def take_requests(requests: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Fork for each request. Returns it in the process that is to run it; None when no more will come."""
    while True:
        message, files, _, _ = socket.recv_fds(requests, REQUEST_BYTES, FILES)
        if not message:
            return None
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            requests.close()
            if (pid := os.fork()) == 0:
                return json.loads(message), files
            report_end(pid, files)
        for file in files:
            os.close(file)


def report_end(pid: int, files: list[int]) -> None:
    """Tell the number of a program's process, then its exit code."""
    for file in files[:3]:
        os.close(file)
    with socket.socket(fileno=files[3]) as answer:
        answer.send(str(pid).encode())
        _, status = os.waitpid(pid, 0)
        answer.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def run_program(request: dict[str, Any], files: list[int]) -> None:
    """Run a program as if it were this process's own."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(PROJECT)
    program, *_ = sys.argv = request["arguments"]
    sys.path[0] = str(Path(program).parent)
    runpy.run_path(program, run_name="__main__")


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the first of two forks
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        prepare()
        job = take_requests(requests)
    if job is not None:
        run_program(*job)
