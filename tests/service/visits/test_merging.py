"""Live visits and small parts are merged into parts: whoever looks, stores or deletes sees no difference."""

import asyncio
import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings

from clients.geo import Geo
from db.database import Database
from db.queries import live_merges
from db.queries.live_visits import LiveRow
from db.queries.users import select_activity, select_usage
from service.columns.store import ColumnStore
from service.visits.merging import RowsChangedError
from service.visits.queries import get_visit, list_visits
from service.visits.retention import delete_before
from service.visits.store import store_live_visits
from tests.support.eventually import eventually
from tests.support.examples import examples
from tests.support.live_cases import NOW, batches, live_row
from tests.support.log_imports import Importer, some_lines, write
from tests.support.merging import ALWAYS, VIEW, merge_visits
from tests.support.parts import Line, Said, say, store_part
from tests.support.undo import undo
from tests.support.visit_cases import NOTHING

BROWSER = Said(referrer="https://a.example/", host="a.example", agent="Firefox", browser="Firefox")
CRAWLER = Said(agent="Crawler", is_bot=True)


async def count(shop: Importer, table: str) -> int:
    [(rows,)] = await shop.rows(f"SELECT count(*) FROM {table}")
    assert isinstance(rows, int)
    return rows


async def list_all(db: Database, store: ColumnStore) -> list[Any]:
    return await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)


async def shown(shop: Importer, ids: Iterable[str]) -> list[Any]:
    """All that is shown of visits."""
    store = ColumnStore()
    single = [await get_visit(shop.db, store, uuid.UUID(each)) for each in ids]
    async with shop.db.transaction() as session:
        usage = await select_usage(session, [], now=NOW)
        activity = [
            await select_activity(session, user, after=None, limit=1000, offset=0) for user in (1, 2, 3)
        ]
    pages = sorted(await shop.rows("SELECT page_sha256, visits FROM page_visits"))
    return [await shop.rows(VIEW), single, usage, activity, pages, await list_all(shop.db, store)]


@given(live=batches(Geo.open()))
@settings(max_examples=examples(4), deadline=None, suppress_health_check=list(HealthCheck))
async def test_a_merge_changes_nothing_that_is_shown(shop: Importer, live: list[list[LiveRow]]) -> None:
    await shop.empty()
    for batch in live:
        await store_live_visits(shop.db, batch)
    rows = [row for batch in live for row in batch]
    await say(shop.db, {row.request_id: (BROWSER, CRAWLER)[n % 2] for n, row in enumerate(rows) if n % 3})
    ids = [row.request_id for row in rows]
    before = await shown(shop, ids)
    derived = [
        sorted(await shop.rows(f"SELECT * FROM {name}")) for name in ("cart", "goods", "request_quarter")
    ]
    for limits in (replace(ALWAYS, small=0), ALWAYS):
        await merge_visits(shop.db, limits=limits)
        assert await shown(shop, ids) == before
    unmerged = await shop.rows("SELECT request_id FROM live_visit")
    assert sorted(unmerged) == sorted((row.request_id,) for row in rows if row.address is None)
    assert await count(shop, "merged_visit") == len(rows) - len(unmerged)
    assert [
        sorted(await shop.rows(f"SELECT * FROM {name}")) for name in ("cart", "goods", "request_quarter")
    ] == derived


async def test_visits_are_found_whose_ids_end_in_zeros(shop: Importer) -> None:
    ids = [0, 1, 1 << 8, 1 << 120, (1 << 128) - 256]
    rows = [live_row(id=uuid.UUID(int=each), occurred_at=NOW, position=n) for n, each in enumerate(ids, 1)]
    await store_live_visits(shop.db, rows)
    lines = [Line(NOW, key, "8.8.8.8", "US", "/") for key in (256, 257, 1 << 40, (1 << 62) + 512)]
    await store_part(shop.db, lines)
    await merge_visits(shop.db)
    store, stored = ColumnStore(), [each.request_id for each in rows] + [each.request_id for each in lines]
    for each in stored:
        assert (await get_visit(shop.db, store, uuid.UUID(each))).id == each
    listed = await list_all(shop.db, store)
    assert [visit.id for visit in listed] == sorted(stored, reverse=True)
    for place, visit in enumerate(listed):
        after = (visit.timestamp, uuid.UUID(visit.id))
        rest = await list_visits(shop.db, store, **NOTHING, after=after, limit=1000, offset=0)
        assert rest == listed[place + 1 :]


async def test_a_merged_visit_that_is_sent_again_is_a_duplicate_and_another_one_a_conflict(
    shop: Importer,
) -> None:
    rows = [live_row(f"/{n}/", position=n, occurred_at=NOW + timedelta(seconds=n % 3)) for n in range(9)]
    first = await store_live_visits(shop.db, rows)
    await merge_visits(shop.db)
    assert await count(shop, "live_visit") == 0
    for some in (rows[:1], rows):  # each by the statement of its own
        again = await store_live_visits(shop.db, some)
        assert {outcome.status for outcome in again} == {"duplicate"}
        assert [outcome.visit for outcome in again] == [outcome.visit for outcome in first[: len(some)]]
        others = [replace(row, page_url="/other/") for row in some]
        assert {each.status for each in await store_live_visits(shop.db, others)} == {"conflict"}
        dated = [replace(row, occurred_at=NOW - timedelta(days=1)) for row in some]
        assert {each.status for each in await store_live_visits(shop.db, dated)} == {"conflict"}
    new = live_row("/new/")
    mixed = await store_live_visits(shop.db, [rows[0], new])
    assert [outcome.status for outcome in mixed] == ["duplicate", "created"]
    assert await count(shop, "visit") == len(rows) + 1
    await shop.check_rollups()


async def test_a_visit_that_is_sent_again_while_it_is_merged_stays_one(shop: Importer) -> None:
    row, delete = live_row("/caviar/"), live_merges.delete_live_rows
    await store_live_visits(shop.db, [row])
    again: list[asyncio.Task[Any]] = []

    async def waits() -> bool:
        waiting = await shop.rows(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return len(waiting) == 2

    async def delete_late(*arguments: Any) -> int:
        if not again:
            again.append(asyncio.create_task(store_live_visits(shop.db, [row])))
            again.append(asyncio.create_task(store_live_visits(shop.db, [row, live_row("/")])))
            await eventually(waits)
        return await delete(*arguments)

    with patch.object(live_merges, "delete_live_rows", delete_late):
        await merge_visits(shop.db)
    one, several = await asyncio.gather(*again)
    assert [outcome.status for outcome in (*one, *several)] == ["duplicate", "duplicate", "created"]
    assert await count(shop, "visit") == 2
    await shop.check_rollups()


async def test_readers_and_writers_see_each_visit_once_while_it_is_merged(shop: Importer) -> None:
    random, acknowledged, store = Random(1), dict[str, LiveRow](), ColumnStore()
    limits = replace(ALWAYS, most=10, small=12, large=40)
    over = asyncio.Event()

    async def write_some(number: int) -> None:
        for _ in range(12):
            rows = [
                live_row(
                    random.choice(("/caviar/eel/", "/cart?goods_id=1&amount=1&cart_id=1", "/")),
                    id=uuid.UUID(int=random.randrange(60)),
                    occurred_at=NOW,
                    address=f"8.8.8.{number}",
                    position=random.randrange(10**6),
                    is_dated=False,
                )
                for _ in range(random.choice((1, 4)))
            ]
            for row, outcome in zip(rows, await store_live_visits(shop.db, rows), strict=True):
                if outcome.status == "created":
                    assert row.request_id not in acknowledged
                    acknowledged[row.request_id] = row

    async def merge() -> None:
        while not over.is_set():
            await merge_visits(shop.db, limits=limits)
            await asyncio.sleep(0)

    async def read() -> None:
        while not over.is_set():
            before = set(acknowledged)
            ids = [visit.id for visit in await list_all(shop.db, store)]
            assert len(ids) == len(set(ids))
            assert before <= set(ids)
            if before:
                one = random.choice(sorted(before))
                assert (await get_visit(shop.db, store, uuid.UUID(one))).id == one

    others = [asyncio.create_task(merge()), asyncio.create_task(read())]
    await asyncio.gather(*(write_some(number) for number in range(3)))
    over.set()
    await asyncio.gather(*others)
    await merge_visits(shop.db, limits=limits)
    assert await count(shop, "live_visit") == 0
    assert sorted(visit.id for visit in await list_all(shop.db, store)) == sorted(acknowledged)
    await shop.check_rollups()


async def test_who_dies_before_the_end_of_a_merge_changes_nothing(shop: Importer) -> None:
    await store_live_visits(shop.db, [live_row(f"/caviar/{n}/", position=n) for n in range(5)])
    before = await shop.rows(VIEW), await shop.rows("SELECT ctid FROM live_visit")

    async def none(*_: Any) -> int:
        return 0

    with patch.object(live_merges, "delete_live_rows", none), pytest.raises(RowsChangedError):
        await merge_visits(shop.db)
    assert (await shop.rows(VIEW), await shop.rows("SELECT ctid FROM live_visit")) == before
    assert await count(shop, "merged_visit") == 0
    await merge_visits(shop.db)
    assert await shop.rows(VIEW) == before[0]
    assert await count(shop, "live_visit") == 0


@pytest.mark.slow
async def test_small_parts_of_an_import_become_one_that_is_imported_and_undone_as_before(
    shop: Importer, tmp_path: Path
) -> None:
    write(tmp_path / "log.txt", some_lines(60))
    record = await shop.read(tmp_path / "log.txt", chunk_bytes=500)
    before = await shop.derived()
    parts = await count(shop, "visit_part")
    await merge_visits(shop.db, limits=replace(ALWAYS, small=1000, large=1000, small_parts=3))
    assert await count(shop, "visit_part") == 1 < parts
    assert await shop.derived() == before
    write(tmp_path / "copy.txt", some_lines(60))
    copy = await shop.read(tmp_path / "copy.txt", chunk_bytes=500)
    assert (copy.imported, copy.duplicates) == (0, 60)
    await undo(shop, record)
    assert await count(shop, "visit") == 0
    await shop.check_rollups()


async def test_an_id_is_free_again_when_its_visit_was_too_old(shop: Importer) -> None:
    old = datetime(2018, 8, 31, 23, tzinfo=UTC)
    rows = [
        live_row("/caviar/eel/", occurred_at=old + timedelta(hours=n % 2), position=n, user_id=n % 2 or None)
        for n in range(8)
    ]
    await store_live_visits(shop.db, rows)
    await merge_visits(shop.db, limits=replace(ALWAYS, most=8))
    await delete_before(shop.db, old + timedelta(hours=1))
    assert await count(shop, "visit") == await count(shop, "merged_visit") == 4
    await shop.check_rollups()
    assert await shop.rows("SELECT visits FROM page_visits") == [(4,)]
    outcomes = await store_live_visits(shop.db, rows)
    assert [outcome.status for outcome in outcomes] == ["created", "duplicate"] * 4
    await delete_before(shop.db, old + timedelta(days=1))
    assert await count(shop, "visit") == await count(shop, "merged_visit") == 0
    await shop.check_rollups()
    for table in ("page_visits", "visit_part", "address", "request_quarter"):
        assert await count(shop, table) == 0
