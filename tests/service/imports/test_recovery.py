"""Imports whose process has died: servers resume their own, and mark the others as failed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import update

from db.models import Import
from db.queries import imports as queries
from service.background import Background, Schedule
from service.imports.jobs import list_imports
from service.imports.outcome import BROKEN_OFF, INTERRUPTED
from service.imports.recovery import RecoveryTimes, recover_imports
from service.logs.folder import LogFolder
from tests.support.eventually import eventually
from tests.support.log_imports import NOW, Importer, some_lines, write
from tests.support.prepared_commands import run_code

LINES = 200
# Dies after a few chunks of an import that is a server's, the command line's, or an upload.
DYING_PROCESS = """
import asyncio, os, sys
from datetime import UTC
from itertools import count
from pathlib import Path
from clients.geo import Geo
from db.database import Database
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.logs.source import LogSource
from tests.support.eventually import eventually
from tests.support.log_imports import NOW
url, path, kind = sys.argv[1:]
chunks = count()
def die(record):
    if next(chunks) == 3:
        os.kill(os.getpid(), 9)
source = LogSource.of_file(Path(path), chunk_bytes=1500)
if kind == "upload":
    source = LogSource("upload", None, source.open)
mode = "resume" if kind in ("server", "dry run") else "import"
options = ImportOptions(UTC, mode=mode, dry_run=kind == "dry run")
work = import_log(Database.connect(url), Geo.open(), source, options, clock=lambda: NOW, on_progress=die)
asyncio.run(work)
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs.txt"
    write(path, some_lines(LINES))
    return path


async def die_importing(url: str, log: Path, kind: str) -> None:
    assert await asyncio.to_thread(run_code, DYING_PROCESS, url, str(log), kind) == -9


@asynccontextmanager
async def recovery(shop: Importer, folder: Path) -> AsyncIterator[None]:
    """Run a worker that recovers imports, impatiently."""
    background, logs = Background(), LogFolder(file=folder / "logs.txt", folder=folder, zone=UTC)
    times = RecoveryTimes(Schedule(every=0.05, retry=0.05), stale_after=0.2, abandoned_after=0.5)
    loop = recover_imports(shop.db, shop.geo, logs, background, clock=lambda: NOW, times=times)
    background.spawn(loop, name="import recovery")
    yield
    await background.close()


async def imports_when(shop: Importer, condition: Callable[[list[Import]], bool]) -> list[Import]:
    """Return the imports as soon as they meet the condition."""
    rows: list[Import] = []

    async def holds() -> bool:
        rows[:] = await list_imports(shop.db, after=None, limit=10, offset=0)
        return condition(rows)

    await eventually(holds)
    return rows


def have_ended(rows: list[Import]) -> bool:
    return all(row.status != "running" for row in rows)


@pytest.mark.parametrize("kind", ["server", "dry run"])
async def test_a_servers_import_is_resumed(shop: Importer, log: Path, committed_url: str, kind: str) -> None:
    await die_importing(committed_url, log, kind)
    [broken] = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert (broken.status, 0 < broken.lines < LINES) == ("running", True)
    async with recovery(shop, log.parent), recovery(shop, log.parent):
        [record] = await imports_when(shop, have_ended)
    assert (record.id, record.status) == (broken.id, "done")
    assert (record.lines, record.imported, record.duplicates) == (LINES, LINES, 0)
    if kind == "server":
        derived = await shop.derived()
        assert derived == await shop.derived_at_once(log)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "error"), [("command line", INTERRUPTED), ("upload", BROKEN_OFF)])
async def test_an_import_that_is_no_servers_is_marked_failed(
    shop: Importer, log: Path, committed_url: str, kind: str, error: str
) -> None:
    await die_importing(committed_url, log, kind)
    async with recovery(shop, log.parent):
        [record] = await imports_when(shop, have_ended)
    assert (record.status, record.error) == ("failed", error)
    assert 0 < record.imported < LINES
    again = await shop.read(log)
    assert again.imported == LINES - record.imported
    derived = await shop.derived()
    assert derived == await shop.derived_at_once(log)


async def test_an_import_is_marked_failed_a_while_after_its_log_is_gone(
    shop: Importer, log: Path, committed_url: str
) -> None:
    await die_importing(committed_url, log, "server")
    await asyncio.to_thread(log.rename, log.with_name("gone.txt"))
    async with recovery(shop, log.parent):
        [record] = await imports_when(shop, have_ended)
    assert (record.status, record.error) == ("failed", INTERRUPTED)


async def test_an_undo_is_resumed(shop: Importer, log: Path) -> None:
    record = await shop.read(log)
    async with shop.db.transaction() as session:
        await queries.request_undo(session, record.id, at=NOW)
    async with recovery(shop, log.parent):
        await imports_when(shop, lambda rows: rows[0].status == "undone")
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]


@pytest.mark.slow
async def test_an_import_that_is_alive_is_not_recovered(shop: Importer, log: Path) -> None:
    """Even if its heartbeat is late: it holds its lock."""
    tasks: list[asyncio.Task[None]] = []

    async def silence() -> None:
        async with shop.db.transaction() as session:
            await session.execute(update(Import).values(heartbeat_at=NOW))

    def on_progress(_: Import) -> None:
        tasks.append(asyncio.create_task(silence()))

    async with recovery(shop, log.parent), recovery(shop, log.parent):
        record = await shop.read(log, chunk_bytes=1500, on_progress=on_progress)
        await asyncio.gather(*tasks)
    assert (record.status, record.imported) == ("done", LINES)
