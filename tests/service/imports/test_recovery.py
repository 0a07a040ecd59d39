"""Imports whose process has died: servers go on with their own, and tell of the others."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from unittest.mock import patch

import pytest
from sqlalchemy import update

from clients.geo import Geo
from db.database import Database
from db.models import Import
from db.queries import imports as queries
from service.background import Background
from service.imports import recovery as import_keeper
from service.imports.jobs import list_imports
from service.imports.record import BROKEN_OFF, INTERRUPTED
from service.imports.recovery import keep_imports
from service.logs.source import LogFolder
from tests.support.log_imports import NOW, Importer, some_lines, write

ROOT = Path(__file__).parents[3]
LINES = 200
# Dies after a few chunks of an import that is a server's, the command line's, or an upload.
DYING_PROCESS = """
import asyncio, os, sys
from datetime import UTC
from itertools import count
from pathlib import Path
from clients.geo import Geo
from db.database import Database
from service.logs import chunks as log_chunks
from service.imports.record import Reading
from service.imports.run import import_log
from service.logs.source import LogSource, OpenLog, open_file
from tests.support.log_imports import NOW
log_chunks.CHUNK_BYTES = 1500
url, path, kind = sys.argv[1:]
stored = count()
def die(record):
    if next(stored) == 3:
        os.kill(os.getpid(), 9)
source = LogSource.of_file(Path(path))
if kind == "upload":
    source = LogSource("upload", None, lambda: open_file(Path(path), take_last=True))
reading = Reading(UTC, dry_run=kind == "dry run", resumable=kind in ("server", "dry run"))
work = import_log(Database.connect(url), Geo.open(), source, reading, clock=lambda: NOW, on_progress=die)
asyncio.run(work)
"""


@pytest.fixture
def shop(committed_db: Database, geo: Geo) -> Importer:
    return Importer(committed_db, geo)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs.txt"
    write(path, some_lines(LINES))
    return path


async def die_importing(url: str, log: Path, kind: str) -> None:
    command = [sys.executable, "-c", DYING_PROCESS, url, str(log), kind]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = await asyncio.to_thread(subprocess.run, command, cwd=ROOT, env=environ, check=False)
    assert killed.returncode == -9


@asynccontextmanager
async def keeper(shop: Importer, folder: Path) -> AsyncIterator[None]:
    """A worker that looks after imports, impatiently."""
    background, logs = Background(), LogFolder(folder / "logs.txt", folder, UTC)
    with (
        patch.object(queries, "LEFT_ALONE", 0.2),
        patch.object(queries, "LOST", 0.5),
        patch.object(import_keeper, "LOOK_SECONDS", 0.05),
    ):
        background.spawn(keep_imports(shop.db, shop.geo, logs, background, clock=lambda: NOW), name="keeper")
        yield
        await background.close()


async def when(shop: Importer, is_so: Callable[[list[Import]], bool]) -> list[Import]:
    """The imports, as soon as it is so."""
    for _ in range(500):
        rows = await list_imports(shop.db, after=None, limit=10, offset=0)
        if is_so(rows):
            return rows
        await asyncio.sleep(0.02)
    raise AssertionError([(row.status, row.error) for row in rows])


def ended(rows: list[Import]) -> bool:
    return all(row.status != "running" for row in rows)


@pytest.mark.parametrize("kind", ["server", "dry run"])
async def test_a_servers_import_is_gone_on_with(
    shop: Importer, log: Path, committed_url: str, kind: str
) -> None:
    await die_importing(committed_url, log, kind)
    [broken] = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert (broken.status, 0 < broken.lines < LINES) == ("running", True)
    async with keeper(shop, log.parent), keeper(shop, log.parent):
        [record] = await when(shop, ended)
    assert (record.id, record.status) == (broken.id, "done")
    assert (record.lines, record.imported, record.duplicates) == (LINES, LINES, 0)
    if kind == "server":
        found = await shop.derived()
        assert found == await shop.derived_at_once(log)


@pytest.mark.parametrize(("kind", "error"), [("command line", INTERRUPTED), ("upload", BROKEN_OFF)])
async def test_an_import_that_is_no_servers_is_told_as_failed(
    shop: Importer, log: Path, committed_url: str, kind: str, error: str
) -> None:
    await die_importing(committed_url, log, kind)
    async with keeper(shop, log.parent):
        [record] = await when(shop, ended)
    assert (record.status, record.error) == ("failed", error)
    assert 0 < record.imported < LINES
    again = await shop.read(log)
    assert again.imported == LINES - record.imported
    found = await shop.derived()
    assert found == await shop.derived_at_once(log)


async def test_a_log_that_is_gone_is_given_up_after_a_while(
    shop: Importer, log: Path, committed_url: str
) -> None:
    await die_importing(committed_url, log, "server")
    await asyncio.to_thread(log.rename, log.with_name("gone.txt"))
    async with keeper(shop, log.parent):
        [record] = await when(shop, ended)
    assert (record.status, record.error) == ("failed", INTERRUPTED)


async def test_an_undo_is_gone_on_with(shop: Importer, log: Path) -> None:
    record = await shop.read(log)
    async with shop.db.transaction() as session:
        await queries.request_undo(session, record.id, at=NOW)
    async with keeper(shop, log.parent):
        await when(shop, lambda rows: rows[0].status == "undone")
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]


async def test_a_living_import_is_left_alone(shop: Importer, log: Path) -> None:
    """Even if its heartbeat is late: it holds its lock."""
    silenced: list[asyncio.Task[None]] = []

    async def silence() -> None:
        async with shop.db.transaction() as session:
            await session.execute(update(Import).values(heartbeat_at=NOW))

    def on_progress(_: Import) -> None:
        silenced.append(asyncio.create_task(silence()))

    async with keeper(shop, log.parent), keeper(shop, log.parent):
        record = await shop.read(log, chunk_bytes=1500, on_progress=on_progress)
        await asyncio.gather(*silenced)
    assert (record.status, record.imported) == ("done", LINES)
