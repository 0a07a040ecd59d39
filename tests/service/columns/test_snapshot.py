"""Answers of one moment: parts, live visits and names as of the transaction's beginning."""

import asyncio
import os
import threading
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from db.queries.addresses import change_address_version
from db.read_threads import Abandoned, Waiting, run_while_awaited
from db.threads import LOW_PRIORITY
from service.columns.snapshot import open_snapshot
from service.columns.store import ColumnStore
from service.visits.queries import count_visits, list_visits
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.parts import Line, line, some_keys, store_part
from tests.support.visit_cases import Row
from tests.support.visit_oracle import expected_counts, values_of

BEGIN = datetime(2018, 8, 1, tzinfo=UTC)
FILTERS = ("since", "until", "user_id", "page_url", "source", "country", "category", "kind")
NOTHING: dict[str, Any] = dict.fromkeys(FILTERS)
PAGE: dict[str, Any] = {"after": None, "limit": 100, "offset": 0}


def lines(count: int, *, seed: int = 1) -> list[Line]:
    return [
        line(at=BEGIN + timedelta(seconds=at), key=key) for at, key in enumerate(some_keys(count, seed=seed))
    ]


async def test_threads_that_read_columns_leave_the_cores_to_the_event_loops() -> None:
    def niceness(_: Waiting) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    usual = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert await run_while_awaited(niceness) == max(usual, LOW_PRIORITY)


@pytest.mark.parametrize("megabytes", [0, 10])
async def test_parts_that_come_and_go_meanwhile_change_no_answer(
    committed_db: Database, tmp_path: Any, megabytes: int
) -> None:
    db, store = committed_db, ColumnStore.under(tmp_path, megabytes=megabytes)
    part_id = await store_part(db, lines(5))
    async with open_snapshot(db, store) as snapshot:
        before = await snapshot.spans()
        async with db.transaction() as session:
            await session.execute(text("DELETE FROM visit_part WHERE id = :id"), {"id": part_id})
        await store_part(db, lines(7, seed=2))
        assert await snapshot.spans() == before
        parts = await snapshot.read(before)
        assert [len(part) for _, part in parts] == [5]
    counts = await count_visits(db, store, **NOTHING, group_by=None, tz="UTC", **PAGE)
    assert [count.visits for count in counts] == [7]


async def test_statistics_beside_writers_are_those_of_before_or_after(
    committed_db: Database, store: ColumnStore
) -> None:
    """Each write is a part of 10 lines and 10 live visits in one transaction; waits for nothing else."""
    done = asyncio.Event()

    async def write() -> None:
        for number in range(5):
            await store_part(committed_db, lines(10, seed=number))
        done.set()

    writing = asyncio.create_task(write())
    totals = []
    while not done.is_set():
        counts = await count_visits(committed_db, store, **NOTHING, group_by=("day",), tz="UTC", **PAGE)
        totals.append(sum(count.visits for count in counts))
    await writing
    assert totals == sorted(totals)
    assert {total % 10 for total in totals} <= {0}


async def test_a_country_that_is_known_later_is_shown_at_once(db: Database, store: ColumnStore) -> None:
    await store_part(db, [line(at=BEGIN, address="9.9.9.9", country=None)])
    assert [visit.country for visit in await list_visits(db, store, **NOTHING, **PAGE)] == [None]
    async with db.transaction() as session:
        await session.execute(text("UPDATE address SET country = 'CH'"))
        await change_address_version(session)
    assert [visit.country for visit in await list_visits(db, store, **NOTHING, **PAGE)] == ["CH"]
    of_country = await list_visits(db, store, **NOTHING | {"country": "CH"}, **PAGE)
    assert len(of_country) == 1


async def test_pages_of_one_url_are_one_group_whatever_rules_made_of_them(
    db: Database, store: ColumnStore
) -> None:
    await store_part(db, [line("/about", at=BEGIN, key="AAAAAAAA")])
    async with db.transaction() as session:
        await session.execute(text("INSERT INTO page (url, kind, digest) VALUES ('/about', 'm', 'x'); "))
        await session.execute(
            text(
                "WITH part AS (UPDATE visit_part SET token = :token) "
                "UPDATE visit_part_columns SET page_id = ARRAY(SELECT max(id) FROM page), token = :token"
            ),
            {"token": uuid.uuid4()},
        )
    await store_part(db, [line("/about", at=BEGIN, key="BBBBBBBB")])
    await store_live_visits(db, [live_row("/about", occurred_at=BEGIN)])
    counts = await count_visits(db, store, **NOTHING, group_by=("page",), tz="UTC", **PAGE)
    assert [(count.group, count.visits) for count in counts] == [({"page_url": "/about"}, 3)]
    assert len(await list_visits(db, store, **NOTHING | {"page_url": "/about"}, **PAGE)) == 3


@pytest.mark.parametrize("group_by", [("page",), ("page", "day"), ("hour", "page")])
async def test_pages_that_are_visited_once_stand_in_the_order_of_their_urls(
    db: Database, store: ColumnStore, group_by: tuple[str, ...]
) -> None:
    numbers = [
        (goods, amount, cart) for goods in (1, 10, 2, 100, 19) for amount in (1, 3) for cart in (5, 50, 6)
    ]
    host = "https://shop.example"
    urls = [f"{host}/cart?goods_id={goods}&amount={amount}&cart_id={cart}" for goods, amount, cart in numbers]
    urls += [f"{host}/pay?user_id={user}&cart_id=5" for user in (3, 30, 29)]
    urls += [f"{host}/success_pay_{cart}/" for cart in (5, 50, 6)] + [f"{host}/cart?goods_id=1&a=2"]
    keys = some_keys(2 * len(urls))
    first, second = urls[::2], urls[1::2]
    for some in (first, [*second, first[0]]):
        await store_part(db, [line(url, at=BEGIN, key=keys.pop()) for url in some])
    expected = [first[0], *sorted(set(urls) - {first[0]})]
    for limit in (1, 4, 100):
        shown: list[str] = []
        while len(shown) < len(expected):
            counts = await count_visits(
                db, store, **NOTHING, group_by=group_by, tz="UTC", after=None, limit=limit, offset=len(shown)
            )
            shown += [count.group["page_url"] for count in counts[:limit]]
        assert shown == expected


@pytest.mark.parametrize("group_by", [("page",), ("page", "country"), ("user", "page")])
async def test_template_pages_of_some_rows_of_a_part_are_counted(
    db: Database, store: ColumnStore, group_by: tuple[str, ...]
) -> None:
    urls = [f"/pay?user_id=7&cart_id={cart}" for cart in (1, 2, 2)] + ["/"] * 3 + ["/success_pay_2/"]
    await store_part(
        db, [line(url, at=BEGIN, key=key) for url, key in zip(urls, some_keys(len(urls)), strict=True)]
    )
    criteria: dict[str, Any] = NOTHING | {"kind": "pay", "user_id": 7}
    counts = await count_visits(db, store, **criteria, group_by=group_by, tz="UTC", **PAGE)
    pages = [(count.group["page_url"], count.visits) for count in counts]
    assert pages == [("/pay?user_id=7&cart_id=2", 2), ("/pay?user_id=7&cart_id=1", 1)]


async def test_work_that_nobody_waits_for_ends_with_its_next_step() -> None:
    """Waits for the thread to have begun, and to have ended."""
    begun, ended = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def work(waiting: Waiting) -> None:
        loop.call_soon_threadsafe(begun.set)
        try:
            while True:
                waiting.check()
        except Abandoned:
            loop.call_soon_threadsafe(ended.set)

    task = asyncio.create_task(run_while_awaited(work))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(ended.wait(), 60)


async def test_pages_are_counted_of_the_lines_that_a_filter_picks(db: Database, store: ColumnStore) -> None:
    urls = ["/caviar/", "/caviar/beluga/", "/cart?goods_id=1&amount=2&cart_id=3"] * 4
    keys = some_keys(len(urls))
    await store_part(db, [line(url, at=BEGIN, key=keys.pop()) for url in urls])
    for kind, url in (("product", urls[1]), ("cart", urls[2])):
        criteria = NOTHING | {"kind": kind}
        counts = await count_visits(db, store, **criteria, group_by=("page",), tz="UTC", **PAGE)
        assert [(count.group, count.visits) for count in counts] == [({"page_url": url}, 4)]


@pytest.mark.parametrize("group_by", [("page",), ("page", "user"), ("day", "page"), ("user", "page")])
async def test_pages_that_are_surely_too_rare_to_be_shown_change_no_answer(
    db: Database, store: ColumnStore, group_by: tuple[str, ...]
) -> None:
    """A page of a cart has at most as many visits as its bucket, which decides only for the first answers."""
    carts = [
        f"{host}/cart?goods_id=1&amount=2&cart_id={cart}" for cart in (1, 2, 2, 3) for host in ("", "//a")
    ]
    urls = ["/caviar/"] * 30 + ["/caviar/beluga/"] * 20 + carts + ["/pay?user_id=7&cart_id=2"] * 2
    rows: list[Row] = []
    for seed in (1, 2):
        keys = some_keys(len(urls), seed=seed)
        part = [line(url, at=BEGIN, key=key) for url, key in zip(urls, keys, strict=True)]
        await store_part(db, part)
        rows += part
    expected = expected_counts(rows, group_by, "UTC")
    for limit in (1, 2, 3, 100):
        page: dict[str, Any] = {"after": None, "limit": limit, "offset": 0}
        counts = await count_visits(db, store, **NOTHING, group_by=group_by, tz="UTC", **page)
        assert [values_of(count) for count in counts[:limit]] == expected[:limit]


async def test_parts_without_a_group_that_is_shown_change_no_answer(db: Database, store: ColumnStore) -> None:
    """The first answer has one hour: most parts have no visit of it, and one has some beside others."""
    rows: list[Row] = []
    for day, hours in enumerate(([1], [2, 3], [3, 3, 3, 4], [5]), start=1):
        moments = [datetime(2018, 8, day, hour, tzinfo=UTC) for hour in hours]
        keys = some_keys(len(moments), seed=day)
        part = [line("/caviar/", at=at, key=key) for at, key in zip(moments, keys, strict=True)]
        await store_part(db, part)
        rows += part
    for group_by in (("hour",), ("hour", "page"), ("country", "hour")):
        expected = expected_counts(rows, group_by, "UTC")
        for offset in range(len(expected)):
            page: dict[str, Any] = {"after": None, "limit": 1, "offset": offset}
            counts = await count_visits(db, store, **NOTHING, group_by=group_by, tz="UTC", **page)
            assert values_of(counts[0]) == expected[offset]
