"""`main.py backup` and `restore`."""

import asyncio
import gzip
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from embedded.database_files import libpq_environment, tool_path
from tests.support.command_line import Command
from tests.support.eventually import eventually
from tests.support.processes import PATIENCE


def test_a_backup_and_its_restoration_by_command(trawl: Command, tmp_path: Path) -> None:
    file = tmp_path / "trawl.backup"
    code, output, _ = trawl.run("backup", str(file))
    assert (code, output.startswith(f"{file}: ")) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    code, output, errors = trawl.run("backup", str(file))
    assert (code, output) == (1, "")
    assert errors == f"trawl: {file} is there; take another name, or overwrite it with --force"
    assert trawl.run("backup", "--force", str(file))[0] == 0
    code, output, _ = trawl.run("restore", str(file))
    assert (code, output.startswith(f"restored {file}; the database is at ")) == (0, True)
    code, _, errors = trawl.run("restore", str(tmp_path / "none"))
    assert (code, errors) == (1, f"trawl: there is no {tmp_path / 'none'}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_an_interruption_leaves_nothing_behind_and_changes_nothing(
    trawl: Command, tmp_path: Path, number: signal.Signals
) -> None:
    """A lock holds pg_dump, and psql as it replaces the tables."""
    file, whole = tmp_path / "trawl.backup", tmp_path / "whole.backup"
    assert (await trawl.run_beside("backup", str(whole)))[0] == 0
    url = trawl.settings["DATABASE_URL"]
    for arguments, line in (
        (["backup", str(file)], f"interrupted; there is no new {file}"),
        (["restore", str(whole)], "interrupted; nothing is changed"),
    ):
        async with locked_tasks(url) as is_waited_for:
            process = trawl.fork(*arguments)
            await eventually(is_waited_for)
            process.send_signal(number)
            _, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
        assert (process.returncode, errors) == (128 + number, f"trawl: {line}\n")
    assert not file.exists()
    assert not file.with_name("trawl.backup.part").exists()
    assert (await trawl.run_beside("set-password", "nobody"))[2] == "trawl: no user has the login nobody"


WAITS = """
SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database
WHERE NOT granted AND datname = current_database()
"""


@asynccontextmanager
async def locked_tasks(url: str) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Lock the table of tasks; yields whether somebody waits for it. Ends when nobody does any more."""
    holder, watch = await asyncpg.connect(url), await asyncpg.connect(url)

    async def is_waited_for() -> bool:
        return bool(await watch.fetchval(WAITS))

    async with holder.transaction():
        await holder.execute("LOCK TABLE task")
        yield is_waited_for
    await eventually(lambda: negated(is_waited_for))
    await holder.close()
    await watch.close()


async def negated(condition: Callable[[], Awaitable[bool]]) -> bool:
    return not await condition()


def test_what_is_no_backup_of_trawl_is_told_by_its_name_and_changes_nothing(
    trawl: Command, tmp_path: Path
) -> None:
    prose, cut, gzipped, other = (tmp_path / name for name in ("prose", "cut", "packed.gz", "other"))
    prose.write_text("-- SQL\n")
    assert trawl.run("backup", str(cut))[0] == 0
    gzipped.write_bytes(gzip.compress(cut.read_bytes()))
    cut.write_bytes(cut.read_bytes()[:300])
    dump = [tool_path("pg_dump"), "--format=custom", "--table=task", f"--file={other}"]
    subprocess.run(dump, env=libpq_environment(trawl.settings["DATABASE_URL"]), check=True)
    for file, words in (
        (prose, "is not a backup: `main.py backup` writes"),
        (gzipped, "is not a backup: `main.py backup` writes"),
        (cut, "is a backup that can't be read: "),
        (other, "is a backup of another database than Trawl's"),
    ):
        code, output, errors = trawl.run("restore", str(file))
        assert (code, output) == (1, "")
        assert errors.startswith(f"trawl: nothing is changed: {file} {words}"), errors
        assert len(errors.splitlines()) == 1


def test_a_backup_in_a_folder_that_is_not_there_names_the_file_as_it_was_given(trawl: Command) -> None:
    code, _, errors = trawl.run("backup", "/none/trawl.backup")
    assert (code, errors) == (1, "trawl: /none/trawl.backup: No such file or directory")
