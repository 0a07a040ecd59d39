"""Servers that die or hang while they are watched."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import redis

from embedded import EmbeddedServers, open_servers
from embedded.supervisor import Supervisor
from embedded.valkey import Valkey
from tests.support.embedded_processes import Owner, postgres_pids, query, valkey_pids, watched
from tests.support.processes import comes_true


def postmaster(data_dir: Path) -> int:
    return int((data_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def valkey_answers(servers: EmbeddedServers) -> bool:
    assert servers.redis_url is not None
    with redis.Redis.from_url(servers.redis_url, socket_timeout=0.2) as cache:
        try:
            return bool(cache.ping())
        except redis.RedisError:
            return False


def postgres_answers(servers: EmbeddedServers) -> bool:
    return any(
        supervisor.ready for supervisor in servers._supervisors if supervisor.server.name == "PostgreSQL"
    )


def kill_and_forget(servers: EmbeddedServers, pid: int) -> None:
    """Kill a process, and see it dead."""
    os.kill(pid, signal.SIGKILL)
    assert watched(servers, lambda: not postgres_answers(servers), 2)


async def test_a_killed_postgresql_is_back_with_its_data_even_when_killed_again_at_once(
    data_dir: Path,
) -> None:
    with open_servers(data_dir) as servers:
        await query(servers, "CREATE TABLE kept AS SELECT 42 AS answer")
        begun = time.monotonic()
        for _ in range(3):
            kill_and_forget(servers, postmaster(data_dir))
            assert watched(servers, lambda: postgres_answers(servers), 15)
        assert time.monotonic() - begun < 15
        assert await query(servers, "SELECT answer FROM kept") == [(42,)]


async def test_a_postgresql_killed_while_it_starts_is_back(data_dir: Path) -> None:
    with open_servers(data_dir) as servers:
        kill_and_forget(servers, postmaster(data_dir))
        for _ in range(2):
            (data_dir / "postgres" / "data" / "postmaster.pid").unlink(missing_ok=True)
            assert watched(servers, (data_dir / "postgres" / "data" / "postmaster.pid").exists, 5)
            os.kill(max(postgres_pids(data_dir)), signal.SIGKILL)
        assert watched(servers, lambda: postgres_answers(servers), 15)
        assert await query(servers, "SELECT 1") == [(1,)]


def another_valkey(data_dir: Path, gone: set[int]) -> Callable[[], bool]:
    return lambda: bool(set(valkey_pids(data_dir)) - gone)


def test_a_killed_valkey_is_back_even_when_killed_again_at_once(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False) as servers:
        for _ in range(3):
            gone = set(valkey_pids(data_dir))
            os.kill(min(gone), signal.SIGKILL)
            assert watched(servers, another_valkey(data_dir, gone), 5)
        assert watched(servers, lambda: valkey_answers(servers), 5)


@pytest.mark.parametrize("pids", [postgres_pids, valkey_pids])
async def test_a_server_that_hangs_is_replaced(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, pids: Callable[[Path], list[int]]
) -> None:
    monkeypatch.setattr("embedded.supervisor.SILENT_TOO_LONG", 0.5)
    monkeypatch.setattr("embedded.supervisor.ASKED_WHEN_WELL", 0.1)
    monkeypatch.setattr("embedded.supervisor.STRAYS_MAY_STAY", 0.1)
    with open_servers(data_dir) as servers:
        hanging = pids(data_dir)
        for pid in hanging:
            os.kill(pid, signal.SIGSTOP)
        assert watched(servers, lambda: not set(hanging) & set(pids(data_dir)), 10)
        assert watched(servers, lambda: postgres_answers(servers) and valkey_answers(servers), 10)
        assert await query(servers, "SELECT 1") == [(1,)]


def test_a_deleted_socket_is_noticed(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.supervisor.SILENT_TOO_LONG", 0.5)
    monkeypatch.setattr("embedded.supervisor.ASKED_WHEN_WELL", 0.1)
    with open_servers(data_dir, postgres=False) as servers:
        (data_dir / "valkey" / "valkey.sock").unlink()
        assert watched(servers, lambda: valkey_answers(servers), 10)


def test_a_watcher_that_was_away_does_not_blame_the_server(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.supervisor.SILENT_TOO_LONG", 1.2)
    with open_servers(data_dir, postgres=False) as servers:
        before = valkey_pids(data_dir)
        time.sleep(1.5)
        assert watched(servers, lambda: valkey_answers(servers), 5)
        assert valkey_pids(data_dir) == before


def test_a_restart_that_fails_is_tried_again_and_told(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    valkey = Valkey(data_dir / "valkey")
    program = valkey._program
    valkey._program = Path("/bin/false")
    supervisor = Supervisor(valkey)
    supervisor.watch()

    def failed() -> bool:
        supervisor.watch()
        return supervisor._failures >= 3

    assert comes_true(failed, 5)
    assert supervisor.error == "Valkey ended with 1: it said nothing"
    assert "Valkey ended with 1" in caplog.text
    valkey._program = program

    def ready() -> bool:
        supervisor.watch()
        return supervisor.ready

    assert comes_true(ready, 5)
    assert supervisor.error is None
    supervisor.stop()


def test_a_server_that_does_not_stop_in_order_is_ended(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("embedded.supervisor.STOP_TAKES", 0.2)
    monkeypatch.setattr("embedded.supervisor.QUIT_TAKES", 0.2)
    with open_servers(data_dir):
        for pid in postgres_pids(data_dir):
            os.kill(pid, signal.SIGSTOP)
    assert comes_true(lambda: not postgres_pids(data_dir), 2)


async def test_no_server_survives_its_killed_owner_and_nothing_is_lost(
    data_dir: Path, start_owner: Callable[..., Owner]
) -> None:
    owner = start_owner(data_dir, "exclusive")
    with open_servers(data_dir) as servers:
        await query(servers, "CREATE TABLE survived AS SELECT 42 AS answer")
    owner.process.kill()
    assert comes_true(lambda: not (postgres_pids(data_dir) or valkey_pids(data_dir)), 5)
    with open_servers(data_dir, exclusive=True) as servers:
        assert servers.owned
        assert await query(servers, "SELECT answer FROM survived") == [(42,)]
