"""Carts of a period, whose days are kept: reports are those of the SQL of before after each change."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.reports import REQUESTS
from clients.geo import Geo
from db.database import Database
from db.queries.reports import PurchaseUsers
from service.columns.store import ColumnStore, sweep_columns
from service.imports.undo import undo_import
from service.reports.reports import BOTS, SOURCES, get_report, run_report
from service.visits.store import store_live_visits
from tests.support.eventually import eventually
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer
from tests.support.log_lines import line
from tests.support.parts import some_keys

DAY = datetime(2025, 3, 4, tzinfo=UTC)
PURCHASES = """
    SELECT bought.purchases, count(*) AS users
    FROM (
        SELECT count(*) AS purchases
        FROM payment INNER JOIN cart ON payment.cart_id = cart.id
        WHERE payment.paid_at >= :since AND payment.paid_at < :until
            AND payment.source = ANY(CAST(:sources AS text[]))
            AND cart.is_bot = ANY(CAST(:bots AS boolean[])) AND cart.user_id IS NOT NULL
        GROUP BY cart.user_id
    ) AS bought
    GROUP BY bought.purchases ORDER BY purchases"""
OPENED = """
    SELECT count(*), count(payment.cart_id), count(*) - count(payment.cart_id)
    FROM cart LEFT JOIN payment ON payment.cart_id = cart.id
    WHERE cart.opened_at >= :since AND cart.opened_at < :until
        AND cart.source = ANY(CAST(:sources AS text[]))
        AND cart.is_bot = ANY(CAST(:bots AS boolean[]))
    HAVING count(*) > 0"""
TOGETHER = """
    WITH held AS (
        SELECT DISTINCT payment.cart_id, category.name
        FROM payment
        INNER JOIN cart ON payment.cart_id = cart.id
        LEFT JOIN cart_item ON cart.id = cart_item.cart_id
        LEFT JOIN goods ON cart_item.goods_id = goods.goods_id
        LEFT JOIN product ON goods.product_id = product.id
        LEFT JOIN category ON product.category_id = category.id
        WHERE payment.paid_at >= :since AND payment.paid_at < :until
            AND payment.source = ANY(CAST(:sources AS text[]))
            AND cart.is_bot = ANY(CAST(:bots AS boolean[]))
    )
    SELECT other.name, count(*), count(*)::float8 / (SELECT count(DISTINCT cart_id) FROM held)
    FROM held INNER JOIN held AS other ON held.cart_id = other.cart_id AND held.name <> other.name
    WHERE held.name = 'caviar'
    GROUP BY other.name ORDER BY count(*) DESC, other.name"""
HOURS = (0, 9, 10, 30, 48)
PERIODS = [
    (DAY + timedelta(hours=one), DAY + timedelta(hours=two)) for one in HOURS for two in HOURS if one < two
]
WHOSE = (("all", "all"), ("all", "bot"), ("log", "human"), ("api", "human"))
SHARE = 0.0001  # to which shares are rounded
REPORTS: dict[int, tuple[str, dict[str, Any], Callable[[Any], tuple[Any, ...]]]] = {
    5: (TOGETHER, {"category": "caviar"}, lambda row: (row.category, row.carts, row.support)),
    6: (OPENED, {}, lambda row: (row.carts, row.paid, row.unpaid)),
    7: (PURCHASES, {}, lambda row: (row.purchases, row.users)),
}


async def check(db: Database, store: ColumnStore) -> Counter[int]:
    """Compare the reports of all periods with SQL; return how many of each have rows."""
    counts = Counter[int]()
    for number, (sql, own, values_of) in REPORTS.items():
        for (since, until), (source, traffic) in product(PERIODS, WHOSE):
            parameters = REQUESTS[number]().load({}) | own | {"since": since, "until": until, "limit": 1000}
            parameters |= {"source": source, "traffic": traffic}
            result = await run_report(db, store, get_report(str(number)), parameters)
            period = {"since": since, "until": until}
            values = period | {"sources": list(SOURCES[source]), "bots": list(BOTS[traffic])}
            async with db.read() as session:
                rows = (await session.execute(text(sql), values)).all()
            expected = [pytest.approx(tuple(row), abs=SHARE) if number == 5 else tuple(row) for row in rows]
            assert [values_of(row) for row in result.rows] == expected, (number, values)
            counts[number] += bool(rows)
    return counts


async def view(db: Database, page: str, hour: float, **fields: Any) -> None:
    row = live_row(f"https://shop.example{page}", occurred_at=DAY + timedelta(hours=hour), **fields)
    await store_live_visits(db, [row])


async def put(db: Database, cart_id: int, goods_id: int, hour: float, **fields: Any) -> None:
    await view(db, f"/cart?goods_id={goods_id}&amount=1&cart_id={cart_id}", hour, **fields)


async def buy(db: Database, cart_id: int, hour: float, user_id: int | None = None, **fields: Any) -> None:
    """Store a pay line, if there is a user, or else a success line."""
    page = f"/success_pay_{cart_id}/" if user_id is None else f"/pay?user_id={user_id}&cart_id={cart_id}"
    await view(db, page, hour, **fields)


@pytest.mark.slow
async def test_days_are_counted_anew_when_a_cart_changes(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    db, store = committed_db, ColumnStore()
    shop, log = Importer(db, geo), tmp_path / "log"
    await shop.empty()
    assert await check(db, store) == Counter()
    for goods_id, page, hour in ((1, "/caviar/beluga/", 8.3), (2, "/fresh_fish/salmon/", 8.4)):
        await view(db, page, hour)
        await put(db, 1, goods_id, hour + 0.01)
    for cart_id, hour, user_id in ((1, 9, 7), (2, 11, 7), (3, 25, 7), (4, 25, 8), (5, 9, 2**62)):
        await put(db, cart_id, 1 + cart_id % 2, hour - 0.2)
        await buy(db, cart_id, hour - 0.1, user_id, agent="Googlebot/2.1" if cart_id == 5 else None)
        await buy(db, cart_id, hour)
    counts = await check(db, store)
    assert counts == {5: 12, 6: 16, 7: 16}, "so many of 40 periods have rows"

    await put(db, 2, 1, 10.8)  # another category
    await put(db, 3, 9, 24.8, address="8.8.4.4")  # of goods that nobody knows yet
    await put(db, 6, 2, 12)  # and a cart that nobody pays
    await check(db, store)
    await put(db, 6, 2, 9.5)  # begun earlier on the same day
    await view(db, "/semi_manufactures/cutlets/", 24.79, address="8.8.4.4")  # what the goods were
    await check(db, store)

    paths = ("/pay?user_id=7&cart_id=21", "/success_pay_21/", "/success_pay_22/", "/pay?user_id=9&cart_id=22")
    times = (DAY + timedelta(hours=9, minutes=minute) for minute in range(len(paths)))
    rows = zip(times, some_keys(len(paths)), paths, strict=True)
    log.write_text("".join(line(f"{time:%F %T}", key, "8.8.8.8", path) + "\n" for time, key, path in rows))
    record = await shop.read(log)
    await check(db, store)
    await buy(db, 2, 8.9)  # paid earlier on the same day
    await buy(db, 6, 40)  # on another day than that on which it was begun
    await check(db, store)
    await buy(db, 4, 9.5)  # and on the day before
    await buy(db, 1, 40, 8)  # the user of a cart is that of its last pay line
    await check(db, store)
    await undo_import(db, record.id)
    await check(db, store)


async def test_a_day_that_has_not_changed_is_not_read_again(committed_db: Database, geo: Geo) -> None:
    db, store = committed_db, ColumnStore()
    await Importer(db, geo).empty()
    await view(db, "/caviar/beluga/", 8.9)
    await put(db, 1, 1, 9)
    await buy(db, 1, 9, 7)
    await buy(db, 1, 10)
    await buy(db, 2, 29, 7)
    await buy(db, 2, 30)
    period = {"since": DAY + timedelta(hours=1), "until": DAY + timedelta(days=1), "category": "caviar"}

    async def numbers(store: ColumnStore) -> list[Any]:
        results = [
            await run_report(db, store, get_report(str(number)), REQUESTS[number]().load({}) | period)
            for number in REPORTS
        ]
        return [results[0].rows, results[1].rows[0].paid, results[2].rows]

    before = await numbers(store)
    assert before == [[], 1, [PurchaseUsers(1, 1)]]
    async with db.transaction() as session:
        await session.execute(text("DELETE FROM payment WHERE cart_id = 1"))  # which no code of ours does
    assert await numbers(store) == before
    assert await numbers(ColumnStore()) == [[], 0, []]


async def test_days_before_the_newest_are_written_for_all_once_one_was_asked_for(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    db, store = committed_db, ColumnStore.under(tmp_path, megabytes=64)
    await Importer(db, geo).empty()
    for day in range(5):
        await put(db, day + 1, 1, 24 * day + 9)
        await buy(db, day + 1, 24 * day + 10)

    async def paid(store: ColumnStore, day: int) -> int:
        period = {"since": DAY + timedelta(days=day, hours=1), "until": DAY + timedelta(days=day, hours=23)}
        result = await run_report(db, store, get_report("6"), REQUESTS[6]().load({}) | period)
        return int(result.rows[0].paid) if result.rows else 0

    def files() -> set[str]:
        return {path.name for path in (tmp_path / "cart-columns").glob("*.columns")}

    async def written() -> bool:
        return len(files()) == 4

    async def changed() -> bool:
        return len(before - files()) == 2 and len(files()) == 9

    sweep = asyncio.create_task(sweep_columns(db, store, seconds=0.01))
    try:
        assert await paid(store, 4) == 1
        await eventually(written)
        async with db.transaction() as session:
            await session.execute(text("DELETE FROM payment"))  # which no code of ours does
        others = ColumnStore.under(tmp_path, megabytes=64)
        assert [await paid(others, day) for day in range(5)] == [1, 1, 1, 0, 1], (
            "the fourth was read just now"
        )

        await run_report(db, others, get_report("7"), REQUESTS[7]().load({}) | {"since": DAY})
        before = files()
        assert len(before) == 10, "of each day those opened and those paid"
        await put(db, 9, 1, 9)  # the first day changes: nobody has asked this process for those paid
        await eventually(changed)
        assert await paid(ColumnStore.under(tmp_path, megabytes=64), 0) == 0
    finally:
        sweep.cancel()
        await asyncio.gather(sweep, return_exceptions=True)
