"""Undoing the only import that has stored visits of logs: what is counted of logs goes as it stands."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.columns import Values
from db.database import Database
from db.queries import imports as queries
from db.queries.part_columns import PartSpan
from service.imports.undo import undo_import
from service.visits import parts
from tests.service.imports.test_undo import has_format, state
from tests.service.visits.test_cart_rollups import store_live, visits_of
from tests.support.log_imports import NOW, Importer, some_lines, write
from tests.support.log_lines import logs
from tests.support.merging import merge_visits
from tests.support.prepared_commands import run_code
from tests.support.undo import of_file, undo

pytestmark = pytest.mark.slow

LIVE = 2  # the number of the file whose lines are sent as live visits
DYING_UNDO = """
import asyncio, os, sys
from db.database import Database
from service.imports import undo
from service.visits import parts
parts.PARTS_OF_CARTS = 2
name, number = {"carts": ("read_cart_ids", 2), "rollups": ("empty_rollups_of_logs", 1)}[sys.argv[3]]
real, calls = getattr(parts, name), 0
async def die(*arguments):
    global calls
    calls += 1
    if calls == number:
        os.kill(os.getpid(), 9)
    return await real(*arguments)
setattr(parts, name, die)
limits = undo.UndoLimits(undo.BatchLimits(parts=1))
asyncio.run(undo.undo_import(Database.connect(sys.argv[1]), int(sys.argv[2]), limits))
"""

some_logs = logs(broken=0, max_lines=25).filter(has_format)


@given(live=some_logs, log=some_logs, merged=st.booleans(), parts_of_carts=st.sampled_from((1, 5)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_beside_live_visits_it_is_as_if_it_had_never_been(
    shop: Importer, tmp_path: Path, *, live: bytes, log: bytes, merged: bool, parts_of_carts: int
) -> None:
    """No columns are read but those of carts, some of which live visits name, too."""
    await shop.empty()
    await store_live(shop, visits_of(LIVE, of_file(LIVE, live)))
    if merged:
        await merge_visits(shop.db)
    before = await state(shop)
    write(tmp_path / "a.txt", of_file(0, log))
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=600)
    with (
        patch.object(parts, "read_visits", side_effect=AssertionError),
        patch.object(parts, "PARTS_OF_CARTS", parts_of_carts),
    ):
        assert (await undo(shop, record, parts=1)).status == "undone"
    assert await state(shop) == before


@pytest.mark.parametrize("time", [1, 2])  # before any carts have gone, and when some have
async def test_an_import_that_stores_parts_meanwhile_keeps_what_is_counted_of_them(
    shop: Importer, tmp_path: Path, time: int
) -> None:
    """It names the same carts."""
    for number, name in enumerate(("a.txt", "b.txt")):
        write(tmp_path / name, of_file(number, some_lines(120)))
    expected = await shop.derived_at_once(tmp_path / "b.txt")
    await shop.empty()
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    real, calls = parts.read_cart_ids, 0

    async def read_cart_ids(db: Database, spans: Sequence[PartSpan]) -> Values:
        nonlocal calls
        calls += 1
        if calls == time:
            assert (await shop.read(tmp_path / "b.txt", chunk_bytes=1500)).imported == 120
        return await real(db, spans)

    with patch.object(parts, "PARTS_OF_CARTS", 2), patch.object(parts, "read_cart_ids", read_cart_ids):
        await undo(shop, record, parts=1)
    assert calls == time
    assert await shop.derived() == expected


@pytest.mark.parametrize("place", ["carts", "rollups"])  # after some of the carts have gone, and after all
async def test_it_is_resumed_where_a_killed_process_left_it(
    shop: Importer, tmp_path: Path, committed_url: str, place: str
) -> None:
    write(tmp_path / "a.txt", some_lines(120))
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    async with shop.db.transaction() as session:
        await queries.request_undo(session, record.id, at=NOW)
    carts = await shop.rows("SELECT count(*) FROM cart")
    assert await asyncio.to_thread(run_code, DYING_UNDO, committed_url, str(record.id), place) == -9
    assert await shop.rows("SELECT count(*) FROM cart") < carts
    await shop.check_rollups()
    await undo_import(shop.db, record.id)
    assert not any(await state(shop))
