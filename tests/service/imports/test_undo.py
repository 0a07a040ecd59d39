"""Undoing imports: all is as if they had never been, whatever else there is, and whoever dies meanwhile."""

import asyncio
import itertools
from collections.abc import Collection
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.database import Transaction
from db.models import Import
from db.queries import imports as queries
from db.queries import part_columns
from service.background import Background
from service.errors import Conflict, NotFound
from service.imports.jobs import get_import
from service.imports.undo import delete_import, undo_import
from service.logs.chunks import CHUNK_BYTES
from service.visits.store import store_live_visits
from tests.support.examples import examples
from tests.support.goods_oracle import check_goods
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer, counts, some_lines, write
from tests.support.log_lines import logs
from tests.support.oracle_log import read_log
from tests.support.prepared_commands import run_code
from tests.support.undo import of_file, undo

STATE = (
    "SELECT file, \"offset\", line, encode(prefix_sha256, 'hex') FROM file_position",
    "SELECT host(address), country FROM address",
    "SELECT goods_id, learned_at, learned_position, learned_key FROM goods",
)
DYING_UNDO = """
import asyncio, os, sys
from db.database import Database, Transaction
from service.imports import undo
from db.queries import part_columns
place, name = {"batch": (undo, "remove_batch"), "carts": (part_columns, "delete_parts")}[sys.argv[3]]
real, calls = getattr(place, name), 0
async def die(*arguments):
    global calls
    calls += 1
    if calls == 4:
        os.kill(os.getpid(), 9)
    return await real(*arguments)
setattr(place, name, die)
limits = undo.UndoLimits(undo.BatchLimits(parts=1))
asyncio.run(undo.undo_import(Database.connect(sys.argv[1]), int(sys.argv[2]), limits))
"""


async def state(shop: Importer) -> list[list[tuple[object, ...]]]:
    """Return everything that is stored, but the rows of imports."""
    return [*await shop.derived(), *[sorted(await shop.rows(query), key=repr) for query in STATE]]


def has_format(log: bytes) -> bool:
    """Return whether a line fits, or there is none: else the import fails, and stores nothing."""
    content = read_log(BytesIO(log))
    return bool(content.visits or not content.rejects)


several_logs = st.lists(logs(max_lines=25).filter(has_format), min_size=2, max_size=3)


@given(
    files=several_logs,
    undone=st.integers(0, 2),
    parts=st.sampled_from((1, 8)),
    chunk_bytes=st.sampled_from((600, CHUNK_BYTES)),
)
@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
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


@pytest.mark.slow
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


async def test_an_undone_import_leaves_nothing(shop: Importer, tmp_path: Path) -> None:
    log = tmp_path / "logs.txt"
    write(log, some_lines(60))
    record = await shop.read(log, chunk_bytes=1500)
    await undo(shop, record)
    assert not any(await state(shop))
    assert await shop.rows("SELECT lines, imported, status FROM import") == [(60, 60, "undone")]
    again = await undo(shop, record)
    assert again.status == "undone"


async def test_only_undoing_the_import_that_stored_a_line_removes_it(shop: Importer, tmp_path: Path) -> None:
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


@pytest.mark.slow
@pytest.mark.parametrize("place", ["batch", "carts"])  # before a part's carts go, and after that
async def test_an_undo_is_resumed_where_a_killed_process_left_it(
    shop: Importer, tmp_path: Path, committed_url: str, place: str
) -> None:
    for name, start in (("a.txt", 0), ("b.txt", 120)):
        write(tmp_path / name, some_lines(120, start=start))
    other = await shop.read(tmp_path / "a.txt")
    before = await state(shop)
    record = await shop.read(tmp_path / "b.txt", chunk_bytes=1500)
    parts = await shop.rows("SELECT id FROM visit_part ORDER BY last_at, id")
    async with shop.db.transaction() as session:
        await queries.request_undo(session, record.id, at=NOW)
    assert await asyncio.to_thread(run_code, DYING_UNDO, committed_url, str(record.id), place) == -9
    assert await shop.rows("SELECT id FROM visit_part ORDER BY last_at, id") == parts[:-3]
    await shop.derived()  # checks the roll-ups
    await undo_import(shop.db, record.id)
    assert await state(shop) == before
    assert (await get_import(shop.db, other.id)).status == "done"


@pytest.mark.slow
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


async def test_live_visits_are_stored_while_parts_are_deleted_and_carts_change(
    shop: Importer, tmp_path: Path
) -> None:
    """They have the last word on a cart that the import filled too."""
    write(tmp_path / "a.txt", some_lines(120))
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    pages = ("/caviar/", "/fresh_fish/salmon/", "/cart?goods_id=5&amount=3&cart_id=20", "/success_pay_20/")
    real, numbers = part_columns.delete_parts, itertools.count()

    async def delete(session: Transaction, part_ids: Collection[int]) -> int:
        for page, number in zip(pages, numbers, strict=False):
            time = datetime(2018, 8, 1, 0, 0, 30, number, tzinfo=UTC)
            visit = live_row(f"https://shop.example{page}", occurred_at=time, position=1)
            await asyncio.wait_for(store_live_visits(shop.db, [visit]), 30)
        return await real(session, part_ids)

    with patch.object(part_columns, "delete_parts", delete):
        await undo(shop, record, parts=1)
    await shop.check_rollups()
    await check_goods(shop.db)
    assert await shop.rows("SELECT count(*) FROM visit WHERE source = 'log'") == [(0,)]
    assert await shop.rows("SELECT id, source FROM cart") == [(20, "api")]
    [(amount,)] = await shop.rows("SELECT amount FROM cart_item")
    assert amount == 3 * await count_live(shop, "cart")


async def count_live(shop: Importer, kind: str) -> int:
    [(count,)] = await shop.rows(f"SELECT CAST(count(*) AS int) FROM live_visit WHERE kind = '{kind}'")
    assert isinstance(count, int)
    return count
