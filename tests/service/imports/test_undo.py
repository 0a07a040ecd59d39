"""Undoing imports: all is as if they had never been, whatever else there is, and whoever dies meanwhile."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from db.models import Import
from db.queries import imports as queries
from service.background import Background
from service.errors import Conflict, NotFound
from service.imports.jobs import get_import
from service.imports.undo import UndoLimits, delete_import, undo_import
from service.logs.chunks import CHUNK_BYTES
from service.visits.pacing import LIMITS, BatchLimits
from tests.support.log_imports import NOW, Importer, counts, some_lines, write
from tests.support.log_lines import logs

ROOT = Path(__file__).parents[3]
KEY = re.compile(rb"\[[A-Z0-9]([A-Z0-9]{7})\]")
STATE = (
    "SELECT file, \"offset\", line, encode(prefix_sha256, 'hex') FROM file_position",
    "SELECT host(address), country FROM address",
    "SELECT goods_id, learned_at, learned_position, learned_key FROM goods",
)
DYING_UNDO = """
import asyncio, os, sys
from db.database import Database
from service.imports import undo as import_undo
real, batches = import_undo.remove_batch, 0
async def die(*arguments):
    global batches
    batches += 1
    if batches == 4:
        os.kill(os.getpid(), 9)
    return await real(*arguments)
import_undo.remove_batch = die
limits = import_undo.UndoLimits(import_undo.BatchLimits(parts=1))
asyncio.run(import_undo.undo_import(Database.connect(sys.argv[1]), int(sys.argv[2]), limits))
"""


@pytest.fixture
def shop(committed_db: Database, geo: Geo) -> Importer:
    return Importer(committed_db, geo)


async def undo(shop: Importer, record: Import, *, parts: int = LIMITS.parts) -> Import:
    """Cancel or undo an import; wait until it is done."""
    background, limits = Background(), UndoLimits(BatchLimits(parts=parts, carts=parts), wait_seconds=60)
    record = await delete_import(shop.db, background, record.id, clock=lambda: NOW, limits=limits)
    await background.close()
    return record


async def state(shop: Importer) -> list[list[tuple[object, ...]]]:
    """Return everything that is stored, but the rows of imports."""
    return [*await shop.derived(), *[sorted(await shop.rows(query), key=repr) for query in STATE]]


def of_file(number: int, log: bytes) -> bytes:
    """Give the log keys and line numbers that no other file has, so that no two lines are equal or tie."""
    log = KEY.sub(lambda key: b"[" + b"%d" % number + key[1] + b"]", log)
    return b"\n" * (100 * number) + log.removesuffix(b"\n") + b"\n"


several_logs = st.lists(logs(max_lines=25), min_size=2, max_size=3)


@given(
    files=several_logs,
    undone=st.integers(0, 2),
    parts=st.sampled_from((1, 8)),
    chunk_bytes=st.sampled_from((600, CHUNK_BYTES)),
)
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_undone_it_is_as_if_it_had_never_been(
    shop: Importer, tmp_path: Path, *, files: list[bytes], undone: int, parts: int, chunk_bytes: int
) -> None:
    await shop.empty()
    undone %= len(files)
    paths = [tmp_path / f"{number}.txt" for number in range(len(files))]
    for number, path in enumerate(paths):
        write(path, of_file(number, files[number]))
    records = [await shop.read(path, chunk_bytes=chunk_bytes) for path in paths]
    whole = await state(shop)
    assert (await undo(shop, records[undone], parts=parts)).status == "undone"
    remainder = await state(shop)
    again = await shop.read(paths[undone], chunk_bytes=chunk_bytes)
    assert counts(again) == counts(records[undone])
    assert await state(shop) == whole
    await shop.empty()
    for path in paths:
        if path != paths[undone]:
            await shop.read(path)
    assert await state(shop) == remainder


async def test_the_last_import_of_a_grown_file_is_undone_to_where_the_one_before_left_it(
    shop: Importer, tmp_path: Path
) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(30))
    first = await shop.read(log)
    before = await state(shop)
    write(log, some_lines(50))
    second = await shop.read(log)
    await undo(shop, second)
    assert await state(shop) == before
    assert counts(await shop.read(log)) == (20, 20, 0, 0)
    # Undone between others, the file is read anew, and the others' lines are duplicates.
    await undo(shop, first)
    assert counts(await shop.read(log)) == (50, 30, 20, 0)
    derived = await shop.derived()
    assert derived == await shop.derived_at_once(log)


async def test_everything_undone_leaves_nothing(shop: Importer, tmp_path: Path) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(60))
    record = await shop.read(log, chunk_bytes=1500)
    await undo(shop, record)
    assert not any(await state(shop))
    assert await shop.rows("SELECT lines, imported, status FROM import") == [(60, 60, "undone")]
    again = await undo(shop, record)
    assert again.status == "undone"


async def test_a_line_is_the_imports_that_stored_it(shop: Importer, tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt"):
        write(tmp_path / name, some_lines(10))
    first, duplicate = [await shop.read(tmp_path / name) for name in ("a.txt", "b.txt")]
    await undo(shop, duplicate)
    assert await shop.rows("SELECT count(*) FROM visit") == [(10,)]
    await undo(shop, first)
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]


async def test_a_dry_run_is_undone_without_touching_anything(shop: Importer, tmp_path: Path) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(10))
    await shop.read(log)
    before = await state(shop)
    write(log, some_lines(20))
    trial = await shop.read(log, dry_run=True)
    assert (await undo(shop, trial)).status == "undone"
    assert await state(shop) == before


async def test_an_unknown_import_is_not_found(shop: Importer) -> None:
    with pytest.raises(NotFound):
        await delete_import(shop.db, Background(), 987654321, clock=lambda: NOW)


async def test_a_running_import_is_cancelled_and_keeps_whole_chunks(shop: Importer, tmp_path: Path) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(300))
    records: list[Import] = []
    cancellations: list[asyncio.Task[Import]] = []

    def on_progress(record: Import) -> None:
        records.append(record)
        if len(records) == 4:
            cancellations.append(asyncio.create_task(undo(shop, record)))

    record = await shop.read(log, chunk_bytes=1500, on_progress=on_progress)
    assert (await cancellations[0]).status == record.status == "cancelled"
    assert record.finished_at == NOW
    assert 0 < record.imported < 300
    assert await shop.rows("SELECT count(*), max(position) FROM visit") == [(record.imported,) * 2]
    await shop.check_rollups()
    assert counts(await shop.read(log)) == (300 - record.imported, 300 - record.imported, 0, 0)
    assert (await undo(shop, record)).status == "undone"
    assert counts(await shop.read(log)) == (300, record.imported, 300 - record.imported, 0)


async def test_what_is_being_imported_again_is_not_undone(shop: Importer, tmp_path: Path) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(10))
    first = await shop.read(log)
    write(log, some_lines(300))
    undos: list[asyncio.Task[Import]] = []

    def on_progress(_: Import) -> None:
        if not undos:
            undos.append(asyncio.create_task(undo(shop, first)))

    await shop.read(log, chunk_bytes=1500, on_progress=on_progress)
    with pytest.raises(Conflict):
        await undos[0]
    assert (await get_import(shop.db, first.id)).status == "done"


async def test_an_undo_is_resumed_where_a_killed_process_left_it(
    shop: Importer, tmp_path: Path, committed_url: str
) -> None:
    for name, start in (("a.txt", 0), ("b.txt", 120)):
        write(tmp_path / name, some_lines(120, start=start))
    other = await shop.read(tmp_path / "a.txt")
    before = await state(shop)
    record = await shop.read(tmp_path / "b.txt", chunk_bytes=1500)
    parts = await shop.rows("SELECT id FROM visit_part ORDER BY last_at, id")
    async with shop.db.transaction() as session:
        await queries.request_undo(session, record.id, at=NOW)
    command = [sys.executable, "-c", DYING_UNDO, committed_url, str(record.id)]
    killed = await asyncio.to_thread(
        subprocess.run, command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
    )
    assert killed.returncode == -9
    assert await shop.rows("SELECT id FROM visit_part ORDER BY last_at, id") == parts[:-3]
    await shop.derived()  # checks the roll-ups
    await undo_import(shop.db, record.id)
    assert await state(shop) == before
    assert (await get_import(shop.db, other.id)).status == "done"


async def test_an_import_beside_an_undo_loses_nothing(shop: Importer, tmp_path: Path) -> None:
    write(tmp_path / "a.txt", some_lines(200))
    write(tmp_path / "b.txt", b"\n" * 500 + some_lines(400, start=100))
    first = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    _, second = await asyncio.gather(
        undo(shop, first, parts=1), shop.read(tmp_path / "b.txt", chunk_bytes=1500)
    )
    assert second.imported + second.duplicates == 400
    assert await shop.rows("SELECT count(*) FROM visit") == [(second.imported,)]
    await shop.read(tmp_path / "a.txt")
    derived = await shop.derived()
    await shop.empty()
    write(tmp_path / "c.txt", some_lines(100))
    await shop.read(tmp_path / "c.txt")
    await shop.read(tmp_path / "b.txt")
    assert [len(part) for part in await shop.derived()] == [len(part) for part in derived]
