"""Imports that die at any moment: whole chunks stay, and the next import completes them."""

import asyncio
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType
from unittest.mock import patch

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import DBAPIError

from db.database import Database
from db.models import Import
from db.queries import imports as queries
from db.queries import positions, rejects
from service.imports.jobs import list_imports
from service.imports.outcome import INTERRUPTED
from tests.support.log_imports import NOW, Importer, counts, some_lines
from tests.support.prepared_commands import run_code

LINES = 120
SMALL = 1500  # bytes a chunk: about fifteen lines
DYING_PROCESS = """
import asyncio, os, sys
from itertools import count
from pathlib import Path
from types import ModuleType
from clients.geo import Geo
from db.database import Database
from tests.support.log_imports import Importer
chunks = count()
def die(record):
    if next(chunks) == 3:
        os.kill(os.getpid(), 9)
shop = Importer(Database.connect(sys.argv[1]), Geo.open())
asyncio.run(shop.read(Path(sys.argv[2]), chunk_bytes=1500, on_progress=die))
"""


class Crash(Exception):
    """What a test breaks an import with."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs.txt"
    path.write_bytes(some_lines(LINES))
    return path


async def newest_import(shop: Importer) -> Import:
    return (await list_imports(shop.db, after=None, limit=1, offset=0))[0]


async def assert_whole_chunks_then_completed(shop: Importer, log: Path, broken: Import) -> None:
    """The broken import counts what it has stored; the next one stores the rest, as if read at once."""
    assert 0 < broken.imported < LINES
    assert counts(broken) == (broken.imported, broken.imported, 0, 0)
    assert await shop.rows("SELECT count(*), max(position) FROM visit") == [(broken.imported,) * 2]
    assert await shop.rows('SELECT line, "offset" FROM file_position') == [(broken.imported, broken.bytes)]
    await shop.check_rollups()
    record = await shop.read(log, chunk_bytes=SMALL)
    assert counts(record) == (LINES - broken.imported, LINES - broken.imported, 0, 0)
    derived = await shop.derived()
    assert derived == await shop.derived_at_once(log)


def fail_at(call: int, error: BaseException) -> Callable[..., None]:
    calls = count()

    def fail(*_: object, **__: object) -> None:
        if next(calls) == call:
            raise error

    return fail


async def test_a_crash_between_chunks_keeps_them(shop: Importer, log: Path) -> None:
    with pytest.raises(Crash):
        await shop.read(log, chunk_bytes=SMALL, on_progress=fail_at(4, Crash()))
    broken = await newest_import(shop)
    assert broken.status == "failed"
    assert "unexpected" in str(broken.error)
    assert broken.finished_at is not None
    await assert_whole_chunks_then_completed(shop, log, broken)


@pytest.mark.parametrize(
    ("module", "step"),
    [(positions, "upsert_position"), (rejects, "insert_rejects"), (queries, "update_counts")],
)
async def test_a_crash_within_a_chunk_undoes_that_chunk(
    shop: Importer, log: Path, module: ModuleType, step: str
) -> None:
    real, fail = getattr(module, step), fail_at(3, Crash())

    async def step_then_crash(*values: object, **named: object) -> object:
        result = await real(*values, **named)
        fail()
        return result

    with patch.object(module, step, step_then_crash), pytest.raises(Crash):
        await shop.read(log, chunk_bytes=SMALL)
    await assert_whole_chunks_then_completed(shop, log, await newest_import(shop))


@pytest.mark.parametrize("turns", [0, 3, 10, 25])
async def test_a_cancelled_task_leaves_whole_chunks(shop: Importer, log: Path, turns: int) -> None:
    enough, chunks = asyncio.Event(), count()

    def on_progress(_: Import) -> None:
        if next(chunks) == 2:
            enough.set()

    task = asyncio.create_task(shop.read(log, chunk_bytes=SMALL, on_progress=on_progress))
    await enough.wait()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    broken = await newest_import(shop)
    assert (broken.status, broken.error) == ("failed", INTERRUPTED)
    await assert_whole_chunks_then_completed(shop, log, broken)


@pytest.mark.slow
async def test_lost_connections_lose_nothing(shop: Importer, log: Path, committed_url: str) -> None:
    chunks, killer = count(), Database.connect(committed_url, pool_size=1)

    async def kill_all() -> None:
        await Importer(killer, shop.geo).rows(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    tasks: list[asyncio.Task[None]] = []

    def on_progress(_: Import) -> None:
        if next(chunks) == 2:
            tasks.append(asyncio.create_task(kill_all()))

    with pytest.raises((DBAPIError, OSError)):
        await shop.read(log, chunk_bytes=SMALL, on_progress=on_progress)
    await asyncio.gather(*tasks)
    await killer.close()
    await assert_whole_chunks_then_completed(shop, log, await newest_import(shop))


async def test_a_killed_process_is_completed_by_the_next(
    shop: Importer, log: Path, committed_url: str
) -> None:
    assert await asyncio.to_thread(run_code, DYING_PROCESS, committed_url, str(log)) == -9
    broken = await newest_import(shop)
    assert broken.status == "running"
    await assert_whole_chunks_then_completed(shop, log, broken)


async def test_a_row_that_no_process_runs_any_more_is_marked_failed(shop: Importer, log: Path) -> None:
    other = log.with_name("other.txt")
    for path, status in ((log, "running"), (other, "running"), (log, "done")):
        values = {"name": path.name, "file": str(path.resolve()), "status": status}
        async with shop.db.transaction() as session:
            await session.execute(insert(Import).values(values))
    await shop.read(log)
    rows = reversed(await list_imports(shop.db, after=None, limit=10, offset=0))
    assert [(row.name, row.status, row.error, row.finished_at) for row in rows] == [
        ("logs.txt", "failed", INTERRUPTED, NOW),
        ("other.txt", "running", None, None),
        ("logs.txt", "done", None, None),
        ("logs.txt", "done", None, NOW),
    ]
