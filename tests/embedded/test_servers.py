"""The embedded servers of one DATA_DIR: set up, used, stopped, shared, and what stands in their way."""

import os
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
import redis.asyncio
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from embedded import DataDirInUse, EmbeddedError, open_servers
from embedded.account import service_account
from embedded.binaries import PostgresPrograms, find_postgres, reachable_postgres
from embedded.postgres import Postgres
from embedded.tuning import DEFAULT, Tuning
from tests.support.embedded_processes import Owner, postgres_pids, query, valkey_pids
from tests.support.processes import PATIENCE, eventually

StartOwner = Callable[..., Owner]


def renamed(directory: Path, name: str) -> Path:
    return directory.rename(directory.parent / name)


def postmaster(data_dir: Path) -> str:
    """The number of PostgreSQL's first process. Others come and go."""
    return (data_dir / "postgres" / "data" / "postmaster.pid").read_text().split()[0]


async def test_first_start_makes_a_durable_utf8_database_off_the_network(tmp_path: Path) -> None:
    with open_servers(tmp_path / "var") as servers:
        settings = dict(
            await query(
                servers,
                """SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit',
                'full_page_writes', 'data_checksums', 'listen_addresses', 'server_encoding', 'TimeZone')""",
            )
        )
        assert settings == {
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "data_checksums": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "TimeZone": "UTC",
        }
        assert await query(servers, "SELECT upper('\u0436') || ('B' < 'a')") == [("\u0416true",)]
        role = "SELECT current_user, current_database(), rolsuper FROM pg_roles WHERE rolname = current_user"
        assert await query(servers, role) == [("trawl", "trawl", False)]
    assert postgres_pids(tmp_path / "var") == valkey_pids(tmp_path / "var") == []


async def test_data_is_there_after_a_restart(data_dir: Path) -> None:
    with open_servers(data_dir) as servers:
        await query(servers, "CREATE TABLE restarted AS SELECT 42 AS answer")
    with open_servers(data_dir) as servers:
        assert await query(servers, "SELECT answer FROM restarted") == [(42,)]


async def test_urls_serve_every_client_whatever_libpqs_variables_say(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "1")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    with open_servers(data_dir) as servers:
        assert servers.postgres_url is not None
        assert servers.redis_url is not None
        engine = create_async_engine(servers.postgres_url.replace("postgresql:", "postgresql+asyncpg:"))
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT current_database()")) == "trawl"
        await engine.dispose()
        async with redis.asyncio.from_url(servers.redis_url) as cache:
            assert await cache.config_get("save") == {"save": ""}
            assert await cache.config_get("maxmemory-policy") == {"maxmemory-policy": "volatile-lru"}


@pytest.mark.parametrize("name", ["d" * 100, "two words, 50% & ж"])
async def test_any_path_can_hold_the_data(own_data_dir: Path, name: str) -> None:
    home = renamed(own_data_dir, name)
    with open_servers(home) as servers:
        assert await query(servers, "SELECT 1") == [(1,)]
        assert postgres_pids(home)


def test_each_embedded_server_can_be_started_alone(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False) as servers:
        assert servers.postgres_url is None
        assert servers.redis_url is not None
        assert postgres_pids(data_dir) == []
    with open_servers(data_dir / "not made", postgres=False, valkey=False) as servers:
        assert (servers.postgres_url, servers.redis_url) == (None, None)
    assert not (data_dir / "not made").exists()


def test_servers_have_sessions_of_their_own_so_that_a_terminals_interrupt_spares_them(data_dir: Path) -> None:
    with open_servers(data_dir):
        sessions = []
        for pid in (*postgres_pids(data_dir), *valkey_pids(data_dir)):
            with suppress(ProcessLookupError):  # one of PostgreSQL's that has just ended
                sessions.append(os.getsid(pid))
        assert len(sessions) > 2
        assert os.getsid(0) not in sessions


async def test_an_interrupted_set_up_is_begun_anew(tmp_path: Path) -> None:
    unfinished = tmp_path / "var" / "postgres" / "data.new"
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with open_servers(tmp_path / "var", valkey=False) as servers:
        assert await query(servers, "SELECT 1") == [(1,)]
    assert not unfinished.exists()


async def test_a_stale_pid_file_that_names_an_unrelated_process_is_no_obstacle(
    data_dir: Path, unrelated_process: subprocess.Popen[bytes]
) -> None:
    lines = f"{unrelated_process.pid}\n/proc/self/cwd\n1500000000\n5432\n..\n\n  1 1\nready\n"
    (data_dir / "postgres" / "data" / "postmaster.pid").write_text(lines)
    (data_dir / "postgres" / ".s.PGSQL.5432.lock").write_text(lines)
    with open_servers(data_dir) as servers:
        assert await query(servers, "SELECT 1") == [(1,)]
    assert unrelated_process.poll() is None


async def test_orphaned_servers_are_ended_before_new_ones_start(data_dir: Path) -> None:
    orphan = Postgres(data_dir / "postgres").spawn()
    with open_servers(data_dir, tuning=Tuning(orphan_grace=PATIENCE)) as servers:
        assert orphan.wait(timeout=PATIENCE) in (0, 1)  # 1: it was still starting
        assert await query(servers, "SELECT 1") == [(1,)]


def test_a_path_that_is_no_directory_is_reported_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    with (
        pytest.raises(EmbeddedError, match=r"^DATA_DIR .*/var can't be used: .*") as caught,
        open_servers(tmp_path / "var"),
    ):
        pass
    assert "\n" not in str(caught.value)


def test_strange_data_is_left_alone(own_data_dir: Path) -> None:
    (own_data_dir / "postgres" / "data" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="holds no PostgreSQL data"), open_servers(own_data_dir):
        pass
    assert (own_data_dir / "postgres" / "data" / "base").exists()


def test_data_of_another_release_is_told_in_postgresqls_own_words(own_data_dir: Path) -> None:
    (own_data_dir / "postgres" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(EmbeddedError, match="incompatible with server"), open_servers(own_data_dir):
        pass


def program_that_fails_in_set_up(folder: Path) -> PostgresPrograms:
    """A PostgreSQL whose single-user server, which makes the role and the database, reports an error."""
    real = reachable_postgres(find_postgres(), service_account(folder), DEFAULT.copy_folders)
    folder.mkdir(mode=0o755)
    scripts = {
        "initdb": f'exec {real.initdb} "$@"',
        "postgres": f"[ $1 != --single ] && exec {real.postgres} \"$@\"; echo 'ERROR:  nonsense'",
    }
    for name, line in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{line}\n")
        (folder / name).chmod(0o755)
    return PostgresPrograms(folder)


@pytest.mark.slow
def test_a_failing_set_up_is_reported_in_one_line_and_leaves_no_data(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = program_that_fails_in_set_up(short_dir.with_name("bin"))
    monkeypatch.setattr("embedded.postgres.find_postgres", lambda: programs)
    with (
        pytest.raises(EmbeddedError, match=r"^PostgreSQL can't be set up in .*: nonsense$"),
        open_servers(short_dir),
    ):
        pass
    assert not (short_dir / "postgres" / "data").exists()
    assert valkey_pids(short_dir) == []


async def test_a_log_that_grew_large_is_rotated(data_dir: Path) -> None:
    log = data_dir / "postgres" / "server.log"
    older = log.with_suffix(".log.1")
    shutil.copyfile("/dev/null", older)
    tuning = Tuning(log_size=100, probe_interval=0.0)
    with open_servers(data_dir, valkey=False, tuning=tuning) as servers:
        assert eventually(lambda: older.stat().st_size > 100, watch=servers.watch)
        assert log.stat().st_size < 100
        with pytest.raises(asyncpg.UndefinedTableError):
            await query(servers, "SELECT * FROM missing")
        assert "missing" in log.read_text()


def test_a_second_server_is_refused_with_the_first_ones_number(
    data_dir: Path, start_owner: StartOwner
) -> None:
    owner = start_owner(data_dir, "exclusive")
    with (
        pytest.raises(DataDirInUse, match=f"in use by process {owner.process.pid}: "),
        open_servers(data_dir, exclusive=True, tuning=Tuning(owner_leaves=0.2)),
    ):
        pass


async def test_a_command_shares_the_servers_and_stops_nothing(
    data_dir: Path, start_owner: StartOwner
) -> None:
    start_owner(data_dir, "exclusive")
    before = postmaster(data_dir)
    for _ in range(2):
        with open_servers(data_dir) as servers:
            assert not servers.owned
            assert await query(servers, "SELECT 1") == [(1,)]
            servers.watch()
        assert postmaster(data_dir) == before


async def test_a_command_that_runs_the_servers_waits_for_those_that_share_them(
    data_dir: Path, start_owner: StartOwner
) -> None:
    owner = start_owner(data_dir)
    with open_servers(data_dir) as servers:
        owner.finish()
        assert not eventually(lambda: owner.process.poll() is not None, within=0.5)
        assert await query(servers, "SELECT 1") == [(1,)]
    assert owner.process.wait(timeout=PATIENCE) == 0
    assert postgres_pids(data_dir) == []


def test_a_server_that_the_owner_does_not_run_can_not_be_shared(data_dir: Path) -> None:
    with open_servers(data_dir, postgres=False) as servers:
        runs_no_postgres = pytest.raises(EmbeddedError, match=f"process {os.getpid()} runs no postgres")
        with runs_no_postgres, open_servers(data_dir, wait=0.1):
            pass
        assert servers.owned
