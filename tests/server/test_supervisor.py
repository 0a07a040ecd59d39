"""The process tree of a server: its workers die, a signal ends it, its port is in use."""

import http.client
import json
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import TINY_SERVER, Command, Running, free_port
from tests.support.processes import (
    PATIENCE,
    children,
    eventually,
    has_ended,
    processes_below,
    send_signal,
)

Start = Callable[..., Running]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `tiny_server.py` on a free port; it is ended with the test."""
    processes = []

    def run(*options: str, port: int = 0) -> Running:
        process = Command(dict(os.environ), TINY_SERVER).fork(str(port), *options)
        processes.append(process)
        return process

    yield run
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def server(start: Start) -> Running:
    return start()


def url_of(server: Running) -> str:
    assert server.stdout is not None
    assert select.select([server.stdout], [], [], PATIENCE)[0]
    word, url = server.stdout.readline().split()
    assert word == "ready"
    return url


def get(url: str, path: str = "/") -> str:
    """Return the body, or the name of the error."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        connection.request("GET", path)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def pids(url: str) -> set[int]:
    """Return the workers that answer twenty requests."""
    bodies = [get(url) for _ in range(20)]
    return {json.loads(body) for body in bodies if body.isdigit()}


def both_answer(url: str) -> bool:
    return eventually(lambda: len(pids(url)) == 2)


def handles(pid: int, number: signal.Signals) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_every_worker_answers_and_the_end_is_in_order(server: Running) -> None:
    url = url_of(server)
    assert both_answer(url)
    assert eventually(lambda: set(children(server.pid)) == pids(url))
    server.send_signal(signal.SIGINT)
    out, err = server.communicate(timeout=PATIENCE)
    # Two processes write there at once: their newlines may change places.
    assert (server.returncode, out.count("left in order"), err) == (0, 2, "")


def test_what_a_worker_begins_with_is_never_looked_at_for_garbage(server: Running) -> None:
    assert get(url_of(server), "/looked-at") == "false"


def test_a_killed_worker_is_back_also_when_killed_again_at_once(server: Running) -> None:
    url = url_of(server)
    for _ in range(3):
        assert both_answer(url)
        send_signal(children(server.pid)[:1], signal.SIGKILL)
    assert both_answer(url)
    assert server.poll() is None


def are_replaced(server: Running, killed: set[int]) -> bool:
    return len(set(children(server.pid)) - killed) == 2


def test_all_workers_killed_are_back_also_when_killed_again_at_once(server: Running) -> None:
    url = url_of(server)
    assert both_answer(url)
    for _ in range(3):
        before = children(server.pid)
        send_signal(before, signal.SIGKILL)
        assert eventually(partial(are_replaced, server, set(before)))
    assert both_answer(url)


def test_workers_killed_while_they_start_are_back(server: Running) -> None:
    url = url_of(server)
    for _ in range(5):
        send_signal(children(server.pid), signal.SIGKILL)
        time.sleep(0.06)  # so that the next ones have begun to start
    assert both_answer(url)


def test_no_worker_survives_its_killed_parent(server: Running) -> None:
    url = url_of(server)
    assert eventually(lambda: len(children(server.pid)) == 2)
    workers = children(server.pid)
    server.kill()
    assert eventually(lambda: all(map(has_ended, workers)))
    # Threads of a process that has ended may hold the socket for a moment longer.
    assert eventually(lambda: get(url) == "ConnectionRefusedError")


def test_requests_in_flight_are_finished_while_readiness_is_withdrawn(start: Start, tmp_path: Path) -> None:
    quiet = 1.0  # longer than this process, on a busy machine, pauses between two requests
    server = start("--quiet", str(quiet))
    url = url_of(server)
    assert get(url, "/ready") == "ready"
    with ThreadPoolExecutor() as pool:
        request = pool.submit(get, url, f"/held?folder={tmp_path}")
        assert eventually((tmp_path / "held").exists)
        server.terminate()
        assert eventually(lambda: get(url, "/ready") == "draining")
        time.sleep(2 * quiet)
        assert eventually(lambda: get(url) == "ConnectionRefusedError")
        assert not request.done()
        (tmp_path / "released").touch()
        assert request.result() == "done"
    assert server.wait(timeout=PATIENCE) == 0


def test_a_request_without_end_does_not_delay_the_stop(start: Start, tmp_path: Path) -> None:
    server = start("--lame-duck", "0.3", "--requests", "0.3")
    url = url_of(server)
    with ThreadPoolExecutor() as pool:
        endless = pool.submit(get, url, f"/held?folder={tmp_path}")
        assert eventually((tmp_path / "held").exists)
        server.terminate()
        assert server.wait(timeout=PATIENCE) == 0
        assert endless.result() in {"RemoteDisconnected", "ConnectionResetError"}


@pytest.mark.slow
def test_a_signal_at_any_moment_of_the_start_ends_it_in_order(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Where coverage is measured it handles the signal from the start, and not as the server does.
    for name in [name for name in os.environ if name.startswith("COV")]:
        monkeypatch.delenv(name)
    moments = (0.0, 0.2, 0.4, 0.7, 1.0, 1.5, 2.0, 2.5)
    servers = [start("--data-dir", str(tmp_path / str(number))) for number in range(len(moments))]
    # Before it handles the signal, the kernel ends a process.
    assert eventually(lambda: all(handles(server.pid, signal.SIGTERM) for server in servers))
    begin = time.monotonic()
    below: set[int] = set()
    for moment, server in zip(moments, servers, strict=True):
        time.sleep(max(0.0, begin + moment - time.monotonic()))
        below |= set(children(server.pid))
        server.terminate()
    for server in servers:
        _, err = server.communicate(timeout=PATIENCE)
        assert (server.returncode, err) == (0, "")
    assert eventually(lambda: all(map(has_ended, below)) and not processes_below(tmp_path))


@pytest.mark.slow
def test_a_killed_tree_leaves_nothing_behind(start: Start, tmp_path: Path) -> None:
    server = start("--data-dir", str(tmp_path))
    url_of(server)
    assert eventually(lambda: len(children(server.pid)) == 4)
    below = children(server.pid)
    below += [grandchild for pid in below for grandchild in children(pid)]
    server.kill()
    assert len(below) > 6
    assert eventually(lambda: all(map(has_ended, below)))


def in_use(port: int) -> str:
    way_out = f"stop what uses it, or take another: PORT={port % 65535 + 1} make run"
    return f"PORT {port} on HOST 127.0.0.1 is in use; {way_out}\n"


@pytest.mark.parametrize(
    ("option", "address"),
    [
        (socket.SO_REUSEADDR, "127.0.0.1"),
        (socket.SO_REUSEPORT, "127.0.0.1"),
        (socket.SO_REUSEPORT, "0.0.0.0"),
    ],
)
def test_a_port_in_use_is_reported_in_one_line(start: Start, option: int, address: str) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, option, 1)
        listener.bind((address, 0))
        listener.listen()
        port = listener.getsockname()[1]
        server = start(port=port)
        out, err = server.communicate(timeout=PATIENCE)
    assert (server.returncode, out, err) == (1, "", in_use(port))


def test_a_port_is_taken_before_anybody_listens_on_it(start: Start) -> None:
    port = free_port()
    first = start("--app", "late", port=port)
    assert eventually(lambda: len(children(first.pid)) == 2)
    assert get(f"http://127.0.0.1:{port}") == "ConnectionRefusedError"
    _, err = start(port=port).communicate(timeout=PATIENCE)
    assert err == in_use(port)
    first.terminate()
    assert first.wait(timeout=PATIENCE) == 0


def test_the_port_can_be_taken_again_at_once(start: Start) -> None:
    port = free_port()
    first = start(port=port)
    url = url_of(first)
    keep_alive = http.client.HTTPConnection(urlsplit(url).netloc)
    keep_alive.request("GET", "/")
    keep_alive.getresponse().read()
    first.terminate()
    assert first.wait(timeout=PATIENCE) == 0
    assert url_of(start(port=port)) == url
    keep_alive.close()


@pytest.mark.parametrize(("app", "cause"), [("broken", "no app today"), ("unwilling", "no start today")])
def test_an_app_that_can_never_start_ends_the_server_with_its_cause(
    start: Start, app: str, cause: str
) -> None:
    server = start("--app", app)
    out, err = server.communicate(timeout=PATIENCE)
    assert server.returncode == 1
    assert "ready" not in out
    assert err.splitlines()[-1].startswith("the server can't start: ")
    assert err.rstrip().endswith(cause)


def test_a_body_that_does_not_come_is_not_waited_for(start: Start) -> None:
    # In a process of its own: with client and server in one loop the answer is sometimes lost on its way.
    address = urlsplit(url_of(start("--app", "impatient")))
    with socket.create_connection((str(address.hostname), address.port or 0), timeout=PATIENCE) as connection:
        connection.sendall(
            b"POST /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 100\r\n"
            b'Content-Type: application/json\r\n\r\n{"login":'
        )
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        assert (answer.status, json.loads(answer.read())["code"]) == (408, "request_timeout")


def test_a_worker_looks_for_no_garbage_in_what_its_parent_has_made(server: Running) -> None:
    assert json.loads(get(url_of(server), "/looked-at-inherited")) is False
