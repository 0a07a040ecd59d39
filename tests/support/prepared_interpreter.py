"""Runs programs as forks of an interpreter that has imported what they need: imports cost a second each.

They end without taking the modules apart, which copies most of the memory that they share.

    python tests/support/prepared_interpreter.py FD

It is a process without threads. Programs find arguments, an environment, files 0 to 2 and a working directory
of their own.
"""

import atexit
import ctypes
import gc
import json
import os
import runpy
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parents[2]
NEW_MOUNTS, PRIVATE, BOUND = 0x20000, 0x44000, 0x1000  # of <sched.h> and <sys/mount.h>
REQUEST_BYTES = 1 << 16
FILES = 4  # of a request: standard input, output and error, and the socket for the exit code


def prepare() -> None:
    """Import what commands and the server need, and nothing that starts threads."""
    sys.path[0] = str(PROJECT)
    from typer import _adapters  # noqa: F401, PLC0415 - typer imports it for arguments

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
        serve,
    )
    from transport.app import all_routes  # noqa: PLC0415 - as above

    all_routes()
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
    """Run a program as if it were this process's own, and end."""
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    for file in files:
        os.close(file)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    if request["mounts"]:
        mount(request["mounts"])
    os.chdir(PROJECT)
    program, *_ = sys.argv = request["arguments"]
    sys.path[0] = str(Path(program).parent)
    code: Any = 0
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        code = end.code or 0
    if isinstance(code, int):
        end_quickly(code)
    sys.exit(code)  # an error message is its output


def mount(places: list[tuple[str, str]]) -> None:
    """Let this process alone see folders in the place of others."""
    libc = ctypes.CDLL(None)
    results = [libc.unshare(NEW_MOUNTS), libc.mount(b"none", b"/", None, ctypes.c_ulong(PRIVATE), None)]
    for folder, place in places:
        bound = ctypes.c_ulong(BOUND)
        results.append(libc.mount(os.fsencode(folder), os.fsencode(place), None, bound, None))
    assert not any(results)


def end_quickly(code: int) -> None:
    """End as Python does, with threads awaited and streams written, but for the modules; or return."""
    threading._shutdown()  # type: ignore[attr-defined] # Python's own end has no other name
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):  # of a stream that nobody reads, or that is closed: Python tells it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the first of two forks
    with socket.socket(fileno=int(sys.argv[1])) as requests:
        prepare()
        job = take_requests(requests)
    if job is not None:
        run_program(*job)
