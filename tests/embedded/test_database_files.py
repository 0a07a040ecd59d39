import asyncio
import io
from pathlib import Path

import asyncpg
import pytest

from clients.geo import Geo
from db.database import Database
from embedded.database_files import ToolFailed, back_up, check_exit_code, libpq_environment, restore
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer, some_lines


async def first_column(url: str, statement: str) -> list[str]:
    connection = await asyncpg.connect(url)
    try:
        return [row[0] for row in await connection.fetch(statement)]
    finally:
        await connection.close()


async def test_a_backup_brings_back_what_was_there_and_nothing_else(
    committed_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "trawl.backup"
    await first_column(committed_url, "CREATE TABLE before AS SELECT 'kept' AS word")
    back_up(committed_url, file)
    await first_column(committed_url, "UPDATE before SET word = 'changed'")
    await first_column(committed_url, "CREATE TABLE after ()")
    restore(committed_url, file)
    assert await first_column(committed_url, "SELECT word FROM before") == ["kept"]
    assert await first_column(committed_url, "SELECT to_regclass('after')::text") == [None]
    assert await first_column(committed_url, "SELECT count(*)::text FROM alembic_version") == ["1"]


async def test_a_backup_holds_the_visits_of_logs_and_live_ones(
    committed_url: str, committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    shop, file = Importer(committed_db, geo), tmp_path / "trawl.backup"
    await shop.store(some_lines(600))
    await store_live_visits(committed_db, [live_row("/fresh_fish/pike/")])
    before = await shop.derived()
    await asyncio.to_thread(back_up, committed_url, file)
    await shop.empty()
    await asyncio.to_thread(restore, committed_url, file)
    restored = Database.connect(committed_url)  # statements prepared before name what is gone
    shop = Importer(restored, geo)
    assert await shop.derived() == before
    await shop.store(some_lines(700))
    assert await shop.rows("SELECT source, count(*) FROM visit GROUP BY 1 ORDER BY 1") == [
        ("api", 1),
        ("log", 700),
    ]
    await restored.close()


@pytest.mark.parametrize("length", [0, 5, 0.5])
async def test_a_truncated_backup_changes_nothing(committed_url: str, tmp_path: Path, length: float) -> None:
    file = tmp_path / "trawl.backup"
    back_up(committed_url, file)
    whole = file.read_bytes()
    file.write_bytes(whole[: int(len(whole) * length) if length < 1 else int(length)])
    await first_column(committed_url, "CREATE TABLE after ()")
    with pytest.raises(ToolFailed):
        restore(committed_url, file)
    assert await first_column(committed_url, "SELECT to_regclass('after')::text") == ["after"]


def test_a_backup_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed):
        back_up("postgresql://a:b@127.0.0.1:1/a", tmp_path / "trawl.backup")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (
            b"pg_dump: error: query failed: ERROR:  permission denied\npg_dump: detail: Query was: LOCK\n",
            "pg_dump: error: query failed: ERROR:  permission denied",
        ),
        (b"pg_dump: warning: a\npg_dump: error: b\npg_dump: hint: c\n", "pg_dump: error: b"),
        (b"killed\n", "pg_dump: killed"),
        (b"", "pg_dump: exit code 7"),
    ],
)
def test_the_error_of_a_program_is_told_without_what_surrounds_it(errors: bytes, message: str) -> None:
    with pytest.raises(ToolFailed) as raised:
        check_exit_code(7, "pg_dump", io.BytesIO(errors))
    assert str(raised.value) == message


async def test_a_backup_without_a_right_says_which(committed_url: str, tmp_path: Path) -> None:
    await first_column(committed_url, "REVOKE SELECT ON task FROM CURRENT_USER")
    with pytest.raises(ToolFailed, match=r"^pg_dump: error: .*permission denied for table task$"):
        back_up(committed_url, tmp_path / "trawl.backup")


def test_an_address_becomes_variables_and_is_on_no_command_line() -> None:
    environment = libpq_environment("postgresql://an%20na:p%40ss@[::1]:5433/shop?sslmode=require")
    variables = {
        "PGHOST": "::1",
        "PGPORT": "5433",
        "PGUSER": "an na",
        "PGPASSWORD": "p@ss",
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
    }
    assert variables.items() <= environment.items()


def test_parameters_and_hosts_of_a_url_are_variables_of_libpq() -> None:
    environment = libpq_environment(
        "postgresql://a:b@[::1]:5433,c.example:1/shop"
        "?target_session_attrs=read-write&application_name=x&keepalives=1&connect_timeout=5"
    )
    assert (environment["PGHOST"], environment["PGPORT"]) == ("::1,c.example", "5433,1")
    assert environment["PGTARGETSESSIONATTRS"] == "read-write"
    assert (environment["PGAPPNAME"], environment["PGCONNECT_TIMEOUT"]) == ("x", "5")
    assert "PGKEEPALIVES" not in environment
