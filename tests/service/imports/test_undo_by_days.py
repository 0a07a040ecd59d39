"""Undoing imports: roll-ups of days that no other log shares are deleted, others lowered or counted anew."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db import locks
from db.database import Transaction
from db.queries import imports as queries
from db.queries import part_removal
from db.queries.part_columns import Columns, PartSpan
from service.imports.undo import undo_import
from service.visits import part_counts, parts
from tests.service.imports.test_undo import has_format, state
from tests.service.visits.test_cart_rollups import store_live, visits_of
from tests.support.examples import examples
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
from db.queries import part_columns
from service.imports import undo
from service.visits import parts
places = {"carts": (parts, "remove_from_rollups"), "rollups": (part_columns, "delete_parts")}
place, name = places[sys.argv[3]]
real, calls = getattr(place, name), 0
async def die(*arguments):
    global calls
    calls += 1
    if calls == 2:
        os.kill(os.getpid(), 9)
    return await real(*arguments)
setattr(place, name, die)
limits = undo.UndoLimits(undo.BatchLimits(parts=1))
asyncio.run(undo.undo_import(Database.connect(sys.argv[1]), int(sys.argv[2]), limits))
"""

some_logs = logs(broken=0, max_lines=25).filter(has_format)


@given(live=some_logs, log=some_logs, merged=st.booleans(), times=st.sampled_from((1, 50)))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_beside_live_visits_it_is_as_if_it_had_never_been(
    shop: Importer, tmp_path: Path, *, live: bytes, log: bytes, merged: bool, times: int
) -> None:
    """Where all parts go at once, no columns are read but those of carts, which live visits may name, too."""
    await shop.empty()
    await store_live(shop, visits_of(LIVE, of_file(LIVE, live)))
    if merged:
        await merge_visits(shop.db)
    before = await state(shop)
    write(tmp_path / "a.txt", of_file(0, log))
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=600)
    real = part_removal.select_visits
    with (
        patch.object(part_counts, "select_visits", real if times == 1 else unread),
        patch.object(parts, "PARTS_OF_CARTS", times),
    ):
        assert (await undo(shop, record, parts=1)).status == "undone"
    assert await state(shop) == before


async def unread(*_: object) -> NoReturn:
    raise AssertionError


@given(
    logs_of_days=st.lists(st.tuples(some_logs, st.integers(0, 3)), min_size=2, max_size=4),
    live=some_logs,
    undone=st.integers(0, 3),
    times=st.sampled_from((1, 50)),
)
@settings(
    max_examples=examples(6), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_beside_logs_of_the_same_and_of_other_days_it_is_as_if_it_had_never_been(
    shop: Importer,
    tmp_path: Path,
    *,
    logs_of_days: list[tuple[bytes, int]],
    live: bytes,
    undone: int,
    times: int,
) -> None:
    """The roll-ups are compared with a recount of what is left."""
    await shop.empty()
    await store_live(shop, visits_of(9, of_file(9, live)))
    records = []
    for number, (log, days) in enumerate(logs_of_days):
        content = log.replace(b" 2018-10-28 ", b" 2018-10-%d " % (28 + days))
        write(tmp_path / f"{number}.txt", of_file(number, content))
        records.append(await shop.read(tmp_path / f"{number}.txt", chunk_bytes=600))
    record = records[undone % len(records)]
    with patch.object(parts, "PARTS_OF_CARTS", times):
        assert (await undo(shop, record, parts=1)).status == "undone"
    await shop.check_rollups()
    left = sum(other.imported for other in records if other is not record)
    assert await shop.rows("SELECT count(*) FROM visit WHERE source = 'log'") == [(left,)]


async def test_visits_of_other_logs_are_read_only_where_they_are_of_the_same_days_and_fewer(
    shop: Importer, tmp_path: Path
) -> None:
    """Of the other log nothing is read but the parts of the day that both have, where it has fewer visits."""
    content = some_lines(120)
    write(tmp_path / "a.txt", content)
    days = (content.replace(b" 2018-08-01 ", b" 2018-07-30 "), content[: len(content) // 4])
    write(tmp_path / "b.txt", b"".join(of_file(number, day) for number, day in enumerate(days, 1)))
    await shop.read(tmp_path / "b.txt", chunk_bytes=1500)
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    last = "date_trunc('day', last_at) = '2018-08-01'"
    theirs = await shop.rows(f"SELECT id FROM visit_part WHERE import_id <> {record.id} AND {last}")
    real = part_removal.select_visits
    read: list[tuple[object, ...]] = []

    async def select_visits(session: Transaction, spans: Sequence[PartSpan]) -> Columns:
        read.extend((span.id,) for span in spans)
        return await real(session, spans)

    with patch.object(part_counts, "select_visits", select_visits):
        await undo(shop, record, parts=20)
    assert theirs
    assert sorted(read) == sorted(theirs)
    await shop.check_rollups()


@pytest.mark.parametrize("time", [1, 2])  # before any parts have gone, and when some have
async def test_an_import_that_stores_parts_meanwhile_keeps_what_is_counted_of_them(
    shop: Importer, tmp_path: Path, time: int
) -> None:
    """It names the same carts, and has visits of the same days."""
    for number, name in enumerate(("a.txt", "b.txt")):
        write(tmp_path / name, of_file(number, some_lines(120)))
    expected = await shop.derived_at_once(tmp_path / "b.txt")
    await shop.empty()
    record = await shop.read(tmp_path / "a.txt", chunk_bytes=1500)
    real, calls = locks.lock_parts, 0

    async def lock_parts(session: Transaction) -> None:
        nonlocal calls
        calls += 1
        if calls == time:
            assert (await shop.read(tmp_path / "b.txt", chunk_bytes=1500)).imported == 120
        await real(session)

    with patch.object(parts, "PARTS_OF_CARTS", 2), patch.object(parts, "lock_parts", lock_parts):
        await undo(shop, record, parts=1)
    assert calls > time
    assert await shop.derived() == expected


@pytest.mark.parametrize("place", ["carts", "rollups"])  # after carts have gone, and after roll-ups
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
