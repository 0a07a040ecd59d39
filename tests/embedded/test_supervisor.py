"""Servers that die or hang while they are watched."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import redis

from embedded import EmbeddedServers, open_servers
from embedded.probe import HealthProbe
from embedded.supervisor import Supervisor
from embedded.tuning import DEFAULT, Tuning
from embedded.valkey import Valkey
from tests.support.embedded_processes import Owner, postgres_pids, query, valkey_pids
from tests.support.processes import PATIENCE, eventually, send_signal


def supervisor_of(servers: EmbeddedServers, name: str) -> Supervisor:
    [supervisor] = [each for each in servers._supervisors if each.server.name == name]
    return supervisor


def kill(supervisor: Supervisor) -> None:
    assert supervisor._process is not None
    supervisor._process.kill()


def valkey_answers(servers: EmbeddedServers) -> bool:
    assert servers.redis_url is not None
    with redis.Redis.from_url(servers.redis_url, socket_timeout=1) as cache:
        try:
            return bool(cache.ping())
        except redis.RedisError:
            return False


async def test_a_killed_postgresql_is_back_with_its_data_even_when_killed_again_at_once(
    data_dir: Path,
) -> None:
    with open_servers(data_dir) as servers:
        await query(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        postgres = supervisor_of(servers, "PostgreSQL")
        for _ in range(3):
            kill(postgres)
            assert eventually(lambda: not postgres.ready, watch=servers.watch)
            assert eventually(lambda: postgres.ready, watch=servers.watch)
        assert await query(servers, "SELECT answer FROM kept") == [(42,)]


async def test_a_postgresql_killed_while_it_starts_is_back(data_dir: Path) -> None:
    pid_file = data_dir / "postgres" / "data" / "postmaster.pid"
    with open_servers(data_dir) as servers:
        postgres = supervisor_of(servers, "PostgreSQL")
        for _ in range(3):
            kill(postgres)
            assert eventually(lambda: postgres._process is None, watch=servers.watch)
            pid_file.unlink(missing_ok=True)
            assert eventually(pid_file.exists, watch=servers.watch)
        assert eventually(lambda: postgres.ready, watch=servers.watch)
        assert await query(servers, "SELECT 1") == [(1,)]


def test_a_killed_valkey_is_back_even_when_killed_again_at_once(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False) as servers:
        valkey = supervisor_of(servers, "Valkey")
        for _ in range(3):
            kill(valkey)
            assert eventually(lambda: valkey._process is None, watch=servers.watch)
            assert eventually(lambda: valkey_pids(data_dir), watch=servers.watch)
        assert eventually(lambda: valkey_answers(servers), watch=servers.watch)


@contextmanager
def short_stall(servers: EmbeddedServers) -> Iterator[None]:
    """Within, a server that does not respond for half a second is taken for hung."""
    for supervisor in servers._supervisors:
        supervisor._tuning = replace(supervisor._tuning, stall=0.5)
    yield
    for supervisor in servers._supervisors:
        supervisor._tuning = replace(supervisor._tuning, stall=DEFAULT.stall)


def are_replaced(servers: EmbeddedServers, pids: set[int]) -> bool:
    """Whether all servers are ready, none of them one of those processes."""
    return all(
        supervisor.ready and supervisor._process is not None and supervisor._process.pid not in pids
        for supervisor in servers._supervisors
    )


@pytest.mark.parametrize("pids", [postgres_pids, valkey_pids])
async def test_a_server_that_hangs_is_replaced(data_dir: Path, pids: Callable[[Path], list[int]]) -> None:
    with open_servers(data_dir, tuning=Tuning(probe_interval=0.1, orphan_grace=0.1)) as servers:
        hung = set(pids(data_dir))
        send_signal(hung, signal.SIGSTOP)
        with short_stall(servers):
            assert eventually(lambda: not hung & set(pids(data_dir)), watch=servers.watch)
        assert eventually(lambda: are_replaced(servers, hung), watch=servers.watch)
        assert await query(servers, "SELECT 1") == [(1,)]
        assert valkey_answers(servers)


def test_a_deleted_socket_is_noticed(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False, tuning=Tuning(probe_interval=0.1)) as servers:
        before = set(valkey_pids(data_dir))
        (data_dir / "valkey" / "valkey.sock").unlink()
        with short_stall(servers):
            assert eventually(lambda: not before & set(valkey_pids(data_dir)), watch=servers.watch)
        assert eventually(lambda: valkey_answers(servers), watch=servers.watch)


def test_a_watcher_that_was_away_does_not_blame_the_server(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False) as servers:
        before = valkey_pids(data_dir)
        [valkey] = servers._supervisors
        for name in ("_last_watch", "_last_response", "_next_step"):
            setattr(valkey, name, getattr(valkey, name) - 1000)  # as if nobody had watched for so long
        back = time.monotonic()
        assert eventually(lambda: valkey._last_response > back, watch=servers.watch)
        assert valkey_answers(servers)
        assert valkey_pids(data_dir) == before


def test_a_restart_that_fails_is_tried_again_and_told(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    valkey = Valkey(data_dir / "valkey")
    program = valkey._program
    valkey._program = Path("/bin/false")
    supervisor = Supervisor(valkey)
    assert eventually(lambda: supervisor._failures >= 3, watch=supervisor.watch)
    assert supervisor.error == "Valkey ended with 1: it said nothing"
    assert "Valkey ended with 1" in caplog.text
    valkey._program = program
    assert eventually(lambda: supervisor.ready, watch=supervisor.watch)
    assert supervisor.error is None
    supervisor.stop()


def test_a_server_that_does_not_stop_in_order_is_ended(data_dir: Path) -> None:
    with open_servers(data_dir, tuning=Tuning(stop_timeout=0.2, quit_timeout=0.2)):
        send_signal(postgres_pids(data_dir), signal.SIGSTOP)
    assert eventually(lambda: not postgres_pids(data_dir))


async def test_no_server_survives_its_killed_owner_and_nothing_is_lost(
    data_dir: Path, start_owner: Callable[..., Owner]
) -> None:
    owner = start_owner(data_dir, "exclusive")
    with open_servers(data_dir) as servers:
        await query(servers, "CREATE TABLE survived AS SELECT 42 AS answer")
    owner.process.kill()
    assert eventually(lambda: not (postgres_pids(data_dir) or valkey_pids(data_dir)))
    with open_servers(data_dir, exclusive=True, tuning=Tuning(owner_leaves=PATIENCE)) as servers:
        assert servers.owned
        assert await query(servers, "SELECT answer FROM survived") == [(42,)]


SLOW = """
import socket, sys, time
time.sleep(1.2)
with socket.socket(socket.AF_UNIX) as listener:
    listener.bind(sys.argv[1])
    listener.listen()
    while True:
        client, _ = listener.accept()
        client.sendall(b"well")
"""


@dataclass
class SlowServer:
    """A server that answers 1.2 s after its start, which is longer than a stall may be."""

    socket: Path
    name: str = "Slow"
    stop_signal: signal.Signals = signal.SIGKILL
    quit_signal: signal.Signals = signal.SIGKILL

    def orphans(self) -> list[int]:
        return []

    def spawn(self) -> subprocess.Popen[bytes]:
        self.socket.unlink(missing_ok=True)
        return subprocess.Popen([sys.executable, "-c", SLOW, str(self.socket)])

    def probe(self) -> HealthProbe:
        return HealthProbe(self.socket, b"?", lambda response: response == b"well", b"")

    def is_ready(self, response: bytes) -> bool:
        return response == b"well"

    def last_log_error(self) -> str:
        return ""

    def rotate_log(self) -> None: ...

    def reconfigure(self) -> bool:
        return False

    def clean_up(self) -> None: ...


def test_a_server_whose_start_takes_longer_than_a_stall_may_is_ready_in_the_end(tmp_path: Path) -> None:
    supervisor = Supervisor(SlowServer(tmp_path / "socket"), Tuning(stall=0.5))
    try:
        assert eventually(lambda: supervisor.ready, watch=supervisor.watch)
    finally:
        supervisor.stop()
