"""Old months are deleted beside imports, live visits and other workers, and after a process died."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from db.database import Database
from db.locks import RETENTION, try_lock
from db.queries import unvisited_addresses
from service.background import Schedule
from service.visits import retention
from service.visits.pacing import BatchLimits
from service.visits.removal import delete_unvisited_addresses
from service.visits.retention import delete_before, enforce_retention
from service.visits.store import store_live_visits
from tests.support.eventually import eventually
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer, some_lines, write
from tests.support.retention_state import state

OLD, YOUNG = datetime(2018, 9, 30, 23, tzinfo=UTC), datetime(2018, 10, 1, tzinfo=UTC)


@asynccontextmanager
async def retention_of(shop: Importer, *, days: int) -> AsyncIterator[None]:
    """Run the retention loop, with short pauses."""
    loop = enforce_retention(shop.db, days, clock=lambda: NOW, schedule=Schedule(every=0.01, retry=0.01))
    task = asyncio.create_task(loop)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def has_visits(shop: Importer, count: int) -> bool:
    return await shop.rows("SELECT count(*) FROM visit") == [(count,)]


async def test_what_a_dying_process_leaves_is_finished_by_the_next(shop: Importer, tmp_path: Path) -> None:
    """No visit is left to delete then, but goods that nothing explains, and addresses that nobody has."""
    write(tmp_path / "logs.txt", some_lines(30))
    await shop.read(tmp_path / "logs.txt")
    with (
        patch.object(retention, "reinfer_goods", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        await delete_before(shop.db, YOUNG)
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]
    assert await shop.rows("SELECT count(*) FROM goods") == [(1,)]
    await delete_before(shop.db, YOUNG)
    assert not any(await state(shop))


async def test_one_worker_deletes_and_the_others_leave_it_to_that_one(shop: Importer, tmp_path: Path) -> None:
    write(tmp_path / "logs.txt", some_lines(30))
    await shop.read(tmp_path / "logs.txt")
    async with shop.db.dedicated() as other:
        assert await try_lock(other, RETENTION)
        async with retention_of(shop, days=30):
            await asyncio.sleep(0.1)  # for several passes
            assert await has_visits(shop, 30)
    async with retention_of(shop, days=30):
        await eventually(lambda: has_visits(shop, 0))


@pytest.mark.slow
async def test_an_import_beside_it_loses_nothing(shop: Importer, tmp_path: Path) -> None:
    write(tmp_path / "old.txt", some_lines(200))
    await shop.read(tmp_path / "old.txt", chunk_bytes=1500)
    young = some_lines(300).replace(b"2018-08-01", b"2018-11-01")
    write(tmp_path / "young.txt", young)
    await asyncio.gather(
        delete_before(shop.db, YOUNG, limits=BatchLimits(visits=25, parts=1)),
        shop.read(tmp_path / "young.txt", chunk_bytes=1500),
    )
    after = await shop.derived()
    assert after == await shop.derived_at_once(tmp_path / "young.txt")


async def test_an_address_that_comes_back_while_it_is_deleted_stays(shop: Importer) -> None:
    await store_live_visits(
        shop.db, [live_row(occurred_at=OLD), live_row(occurred_at=OLD, address="9.9.9.9")]
    )
    real = unvisited_addresses.select_unvisited_addresses
    counts: list[int] = []

    async def come_back(session: Any, visited: Any) -> Any:
        candidates = await real(session, visited)
        if not counts:
            counts.append(len(candidates))
            await store_live_visits(shop.db, [live_row(occurred_at=YOUNG)])
        return candidates

    with patch.object(unvisited_addresses, "select_unvisited_addresses", come_back):
        await delete_before(shop.db, YOUNG)
    assert counts == [2]
    assert await shop.rows("SELECT host(address), country FROM address") == [("8.8.8.8", "US")]


async def test_an_address_that_is_imported_while_it_is_deleted_stays(shop: Importer, tmp_path: Path) -> None:
    """Its part names it by the id that it has then."""
    write(tmp_path / "old.txt", some_lines(30))
    write(tmp_path / "young.txt", some_lines(60).replace(b"2018-08-01", b"2018-11-01"))
    await shop.read(tmp_path / "old.txt")
    real = unvisited_addresses.select_unvisited_addresses

    async def come_back(session: Any, visited: Any) -> Any:
        candidates = await real(session, visited)
        await shop.read(tmp_path / "young.txt", chunk_bytes=1500)
        return candidates

    with patch.object(unvisited_addresses, "select_unvisited_addresses", come_back):
        await delete_before(shop.db, YOUNG)
    after = await state(shop)
    await shop.empty()
    await shop.read(tmp_path / "young.txt")
    assert await state(shop) == after


async def test_importers_forget_the_ids_of_addresses_that_are_deleted(shop: Importer, tmp_path: Path) -> None:
    """They remember addresses from chunk to chunk, and inserted them before their first part."""
    write(tmp_path / "young.txt", some_lines(120).replace(b"2018-08-01", b"2018-11-01"))
    removals: list[asyncio.Task[None]] = []

    def on_progress(_: Any) -> None:
        removals.append(asyncio.create_task(delete_unvisited_addresses(shop.db)))

    await shop.read(tmp_path / "young.txt", chunk_bytes=1500, on_progress=on_progress)
    await asyncio.gather(*removals)
    after = await state(shop)
    await shop.empty()
    await shop.read(tmp_path / "young.txt")
    assert await state(shop) == after


async def test_whoever_stores_visits_does_not_wait_while_addresses_are_deleted(shop: Importer) -> None:
    """Not even for a visit of the very address that is deleted, which is inserted again."""
    await store_live_visits(shop.db, [live_row(occurred_at=OLD)])
    real = unvisited_addresses.delete_addresses

    async def delete(session: Any, address_ids: Any, visited: Any) -> None:
        await real(session, address_ids, visited)
        for address in ("9.9.9.9", "8.8.8.8"):
            visit = live_row(occurred_at=YOUNG, address=address)
            [outcome] = await asyncio.wait_for(store_live_visits(shop.db, [visit]), 20)
            assert outcome.status == "created"

    with patch.object(unvisited_addresses, "delete_addresses", delete):
        await delete_before(shop.db, YOUNG)
    assert await shop.rows("SELECT host(address), country FROM address ORDER BY 1") == [
        ("8.8.8.8", "US"),
        ("9.9.9.9", "US"),
    ]


async def test_it_deletes_again_and_again_also_after_the_database_was_away(shop: Importer) -> None:
    """Old lines that are imported later go at the next pass."""
    passes = asyncio.Semaphore(0)
    real, fail = retention.delete_before, iter((False, True))

    async def delete(db: Database, before: datetime) -> None:
        try:
            if next(fail, False):
                raise ConnectionError
            await real(db, before)
        finally:
            passes.release()

    with patch.object(retention, "delete_before", delete):
        async with retention_of(shop, days=30):
            await passes.acquire()
            await store_live_visits(shop.db, [live_row(occurred_at=OLD)])
            for _ in range(3):
                await passes.acquire()
    assert not any(await state(shop))
