"""The process tree of a server: its workers die, it is told to end, its port is taken."""

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.worker import LAME_DUCK, QUIET
from tests.support.processes import children, comes_true, gone, working_below

PROJECT = Path(__file__).parents[2]

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `tiny_server.py` on a free port; it is ended with the test."""
    started = []

    def run(*options: str, port: int = 0) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(PROJECT / "tests/support/tiny_server.py"), str(port), *options],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def server(start: Start) -> subprocess.Popen[str]:
    return start()


def url_of(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    assert select.select([server.stdout], [], [], 30)[0]
    said = server.stdout.readline().split()
    assert said[:1] == ["ready"]
    return said[1]


def get(url: str, path: str = "/") -> str:
    """The body, or what went wrong."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def pids(url: str) -> set[int]:
    """The workers that answer twenty calls."""
    answers = [get(url) for _ in range(20)]
    return {json.loads(answer) for answer in answers if answer.isdigit()}


def handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_every_worker_answers_and_the_end_is_in_order(server: subprocess.Popen[str]) -> None:
    url = url_of(server)
    assert comes_true(lambda: len(pids(url)) == 2, 5)
    assert set(children(server.pid)) == pids(url)
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=20)
    # Two processes write there at once: their newlines may change places.
    assert (server.returncode, out.count("left in order"), err) == (0, 2, "")


def test_a_killed_worker_is_back_within_two_seconds_also_when_killed_again_at_once(
    server: subprocess.Popen[str],
) -> None:
    url = url_of(server)
    for _ in range(3):
        assert comes_true(lambda: len(pids(url)) == 2, 2)
        os.kill(pids(url).pop(), signal.SIGKILL)
    assert comes_true(lambda: len(pids(url)) == 2, 2)
    assert server.poll() is None


def test_all_workers_killed_are_back_within_three_seconds_also_when_killed_again_at_once(
    server: subprocess.Popen[str],
) -> None:
    url = url_of(server)
    assert comes_true(lambda: len(pids(url)) == 2, 2)
    for _ in range(3):
        for pid in children(server.pid):
            os.kill(pid, signal.SIGKILL)
        assert comes_true(lambda: len(children(server.pid)) == 2, 1)
    assert comes_true(lambda: len(pids(url)) == 2, 3)


def test_workers_killed_while_they_start_are_back(server: subprocess.Popen[str]) -> None:
    url = url_of(server)
    for _ in range(5):
        for pid in children(server.pid):
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.06)
    assert comes_true(lambda: len(pids(url)) == 2, 3)


def test_no_worker_survives_its_killed_parent(server: subprocess.Popen[str]) -> None:
    url = url_of(server)
    assert comes_true(lambda: len(children(server.pid)) == 2, 2)
    workers = children(server.pid)
    server.kill()
    assert comes_true(lambda: all(map(gone, workers)), 5)
    # Threads of a process that counts as gone may hold the socket for a moment longer.
    assert comes_true(lambda: get(url) == "ConnectionRefusedError", 5)


def test_requests_in_flight_are_finished_while_readiness_is_withdrawn(server: subprocess.Popen[str]) -> None:
    url = url_of(server)
    assert get(url, "/ready") == "ready"
    with ThreadPoolExecutor() as pool:
        slow = pool.submit(get, url, "/slow?seconds=2")
        time.sleep(0.3)
        server.terminate()
        assert comes_true(lambda: get(url, "/ready") == "draining", QUIET)
        time.sleep(2 * QUIET)
        assert comes_true(lambda: get(url) == "ConnectionRefusedError", 1)
        assert not slow.done()
        assert slow.result() == "done"
    assert server.wait(timeout=20) == 0


def test_a_request_without_end_does_not_hold_the_end_up(start: Start) -> None:
    server = start("--drain", "0.3")
    url = url_of(server)
    with ThreadPoolExecutor() as pool:
        endless = pool.submit(get, url, "/slow?seconds=60")
        time.sleep(0.3)
        server.terminate()
        assert server.wait(timeout=LAME_DUCK + 3) == 0
        assert endless.result() in {"RemoteDisconnected", "ConnectionResetError"}


def test_a_signal_at_any_moment_of_the_start_ends_it_in_order(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where coverage is measured it handles the signal from the begin, and not as the server does.
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)
    moments = (0.0, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 2.5)
    started = [start("--data-dir", str(tmp_path / str(number))) for number in range(len(moments))]
    # Before that, nobody can say what a process does with a signal but the kernel.
    assert comes_true(lambda: all(handles(server.pid, signal.SIGTERM) for server in started), 10)
    begun = time.monotonic()
    below: set[int] = set()
    for moment, server in zip(moments, started, strict=True):
        time.sleep(max(0.0, begun + moment - time.monotonic()))
        below |= set(children(server.pid))
        server.terminate()
    for server in started:
        _, err = server.communicate(timeout=30)
        assert (server.returncode, err) == (0, "")
    assert comes_true(lambda: all(map(gone, below)) and not working_below(tmp_path), 1)


def test_a_killed_tree_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    server = start("--data-dir", str(tmp_path))
    url_of(server)
    assert comes_true(lambda: len(children(server.pid)) == 4, 2)
    below = children(server.pid)
    below += [grandchild for pid in below for grandchild in children(pid)]
    server.kill()
    assert len(below) > 6
    assert comes_true(lambda: all(map(gone, below)), 5)


@pytest.mark.parametrize(
    ("option", "address"),
    [
        (socket.SO_REUSEADDR, "127.0.0.1"),
        (socket.SO_REUSEPORT, "127.0.0.1"),
        (socket.SO_REUSEPORT, "0.0.0.0"),
    ],
)
def test_a_port_in_use_is_told_in_one_line(start: Start, option: int, address: str) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, option, 1)
        taken.bind((address, 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = start(port=port)
        out, err = server.communicate(timeout=30)
    assert (server.returncode, out, err) == (1, "", f"port {port} on 127.0.0.1 is in use\n")


def test_a_port_is_taken_before_anybody_listens_on_it(start: Start) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    first = start("--app", "late", port=port)
    assert comes_true(lambda: len(children(first.pid)) == 2, 5)
    assert get(f"http://127.0.0.1:{port}") == "ConnectionRefusedError"
    _, err = start(port=port).communicate(timeout=30)
    assert err == f"port {port} on 127.0.0.1 is in use\n"
    first.terminate()
    assert first.wait(timeout=5) == 0


def test_the_port_can_be_taken_again_at_once(start: Start) -> None:
    first = start()
    url = url_of(first)
    keep_alive = http.client.HTTPConnection(urlsplit(url).netloc)
    keep_alive.request("GET", "/")
    keep_alive.getresponse().read()
    first.terminate()
    assert first.wait(timeout=30) == 0
    assert url_of(start(port=urlsplit(url).port or 0)) == url
    keep_alive.close()


@pytest.mark.parametrize(("app", "cause"), [("broken", "no app today"), ("unwilling", "no start today")])
def test_an_app_that_can_never_start_ends_the_server_with_its_cause(
    start: Start, app: str, cause: str
) -> None:
    server = start("--app", app)
    out, err = server.communicate(timeout=30)
    assert server.returncode == 1
    assert "ready" not in out
    assert err.splitlines()[-1].startswith("the server can't start: ")
    assert err.rstrip().endswith(cause)


def test_a_body_that_does_not_come_is_not_waited_for(start: Start) -> None:
    # In a process of its own: with client and server in one loop the answer is sometimes lost on its way.
    address = urlsplit(url_of(start("--app", "impatient")))
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=30) as connection:
        connection.sendall(
            b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n"
            b'Content-Type: application/json\r\n\r\n{"login":'
        )
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (408, "request_timeout")
