"""Backups between PostgreSQL of an older release and the embedded one."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from db.migrate import migrate
from embedded import postgres
from embedded.binaries import SYSTEM_POSTGRES, PostgresPrograms
from embedded.database_files import back_up, portable, restore
from embedded.postgres import Postgres
from tests.embedded.test_database_files import first_column
from tests.support.own_servers import OwnServer

FIRST_WITH_TRANSACTION_TIMEOUT = 17


def older_releases() -> list[Path]:
    return sorted(
        path.parent
        for path in SYSTEM_POSTGRES.glob("*/bin/initdb")
        if path.parts[-3].isdigit() and int(path.parts[-3]) < FIRST_WITH_TRANSACTION_TIMEOUT
    )


@pytest.fixture
async def old_url(short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A database of an older server, migrated."""
    releases = older_releases()
    if not releases:
        pytest.skip("needs a PostgreSQL before 17 in /usr/lib/postgresql, such as Debian's postgresql-15")
    await asyncio.to_thread(short_dir.mkdir)
    with monkeypatch.context() as patches:
        patches.setattr(postgres, "find_postgres", lambda: PostgresPrograms(releases[-1]))
        server = OwnServer(Postgres(short_dir / "old"))
    await server.start()
    try:
        await migrate(server.url)
        yield server.url
    finally:
        await server.end(signal.SIGINT)


@pytest.mark.slow
async def test_a_backup_is_restored_into_the_same_older_server(old_url: str, tmp_path: Path) -> None:
    assert int((await first_column(old_url, "SHOW server_version_num"))[0]) < 170000
    await first_column(old_url, "CREATE TABLE before AS SELECT 'kept' AS word")
    await asyncio.to_thread(back_up, old_url, tmp_path / "old")
    await first_column(old_url, "UPDATE before SET word = 'changed'")
    await asyncio.to_thread(restore, old_url, tmp_path / "old")
    assert await first_column(old_url, "SELECT word FROM before") == ["kept"]
    before, after = await migrate(old_url)
    assert before == after


@pytest.mark.slow
async def test_a_backup_moves_to_a_newer_server_and_back(
    old_url: str, committed_url: str, tmp_path: Path
) -> None:
    await first_column(old_url, "CREATE TABLE before AS SELECT 'of the old one' AS word")
    await asyncio.to_thread(back_up, old_url, tmp_path / "old")
    await asyncio.to_thread(restore, committed_url, tmp_path / "old")
    assert await first_column(committed_url, "SELECT word FROM before") == ["of the old one"]
    await first_column(committed_url, "UPDATE before SET word = 'of the new one'")
    await asyncio.to_thread(back_up, committed_url, tmp_path / "new")
    await asyncio.to_thread(restore, old_url, tmp_path / "new")
    assert await first_column(old_url, "SELECT word FROM before") == ["of the new one"]


@pytest.mark.parametrize(
    ("name", "value"), [("no_such_timeout", "0"), ("client_encoding", "'UTF8'"), ("default_tablespace", "''")]
)
async def test_a_parameter_is_set_where_there_is_one(committed_url: str, name: str, value: str) -> None:
    statement = portable(f"SET {name} = {value};\n".encode()).decode()
    assert await first_column(committed_url, statement) == (
        [] if name == "no_such_timeout" else [value.strip("'")]
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"ALTER TABLE ONLY public.visit ALTER COLUMN id SET (pg_attver=26499512);\n", b""),
        (b'ALTER TABLE ONLY public.visit ALTER COLUMN "offset" SET (pg_attver=1);\n', b""),
        (b"ALTER TABLE ONLY public.visit ALTER COLUMN id SET STATISTICS 10;\n", None),
        (b"CREATE TABLE public.visit (\n", None),
        (b"    login text DEFAULT 'SET x = 1;'::text NOT NULL,\n", None),
    ],
)
def test_a_backup_is_portable_without_the_lines_of_one_release(line: bytes, expected: bytes | None) -> None:
    assert portable(line) == (line if expected is None else expected)
