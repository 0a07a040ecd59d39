"""Purchases of a period, whose days are kept: they are those of the SQL of before after each change."""

from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

from sqlalchemy import text

from api.reports import REQUESTS
from clients.geo import Geo
from db.database import Database
from db.queries.reports import PurchaseUsers
from service.columns.store import ColumnStore
from service.imports.undo import undo_import
from service.reports.reports import BOTS, SOURCES, get_report, run_report
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer
from tests.support.log_lines import line
from tests.support.parts import some_keys

DAY = datetime(2025, 3, 4, tzinfo=UTC)
ORACLE = text("""
    SELECT bought.purchases, count(*) AS users
    FROM (
        SELECT count(*) AS purchases
        FROM payment INNER JOIN cart ON payment.cart_id = cart.id
        WHERE payment.paid_at >= :since AND payment.paid_at < :until
            AND payment.source = ANY(CAST(:sources AS text[]))
            AND cart.is_bot = ANY(CAST(:bots AS boolean[])) AND cart.user_id IS NOT NULL
        GROUP BY cart.user_id
    ) AS bought
    GROUP BY bought.purchases ORDER BY purchases""")
HOURS = (0, 9, 10, 12, 24, 30, 48)
PERIODS = [
    (DAY + timedelta(hours=one), DAY + timedelta(hours=two)) for one in HOURS for two in HOURS if one < two
]


async def check(db: Database, store: ColumnStore) -> int:
    """Compare all periods; return how many have purchases."""
    report, count = get_report("7"), 0
    for (since, until), source, traffic in product(PERIODS, SOURCES, BOTS):
        parameters = REQUESTS[7]().load({}) | {"since": since, "until": until, "source": source}
        result = await run_report(db, store, report, parameters | {"traffic": traffic, "limit": 1000})
        values = {
            "since": since,
            "until": until,
            "sources": list(SOURCES[source]),
            "bots": list(BOTS[traffic]),
        }
        async with db.read() as session:
            expected = [tuple(row) for row in await session.execute(ORACLE, values)]
        assert [(row.purchases, row.users) for row in result.rows] == expected, (since, until, source)
        count += bool(expected)
    return count


async def buy(db: Database, cart_id: int, hour: float, user_id: int | None = None, **fields: Any) -> None:
    """Store a pay line, if there is a user, or else a success line."""
    path = f"success_pay_{cart_id}/" if user_id is None else f"pay?user_id={user_id}&cart_id={cart_id}"
    row = live_row(f"https://shop.example/{path}", occurred_at=DAY + timedelta(hours=hour), **fields)
    await store_live_visits(db, [row])


async def test_days_are_counted_anew_when_a_payment_changes(
    committed_db: Database, geo: Geo, tmp_path: Path
) -> None:
    db, store = committed_db, ColumnStore()
    shop, log = Importer(db, geo), tmp_path / "log"
    await shop.empty()
    assert await check(db, store) == 0
    for cart_id, hour, user_id in ((1, 9, 7), (2, 11, 7), (3, 25, 7), (4, 25, 8), (5, 9, 2**62)):
        await buy(db, cart_id, hour - 0.1, user_id, agent="Googlebot/2.1" if cart_id == 5 else None)
        await buy(db, cart_id, hour)
    assert await check(db, store) > 20

    paths = ("/pay?user_id=7&cart_id=21", "/success_pay_21/", "/success_pay_22/", "/pay?user_id=9&cart_id=22")
    times = (DAY + timedelta(hours=9, minutes=minute) for minute in range(len(paths)))
    rows = zip(times, some_keys(len(paths)), paths, strict=True)
    log.write_text("".join(line(f"{time:%F %T}", key, "8.8.8.8", path) + "\n" for time, key, path in rows))
    record = await shop.read(log)
    await check(db, store)
    await buy(db, 2, 8.9)  # paid earlier on the same day
    await check(db, store)
    await buy(db, 4, 9.5)  # and on the day before
    await check(db, store)
    await buy(db, 1, 40, 8)  # the user of a cart is that of its last pay line
    await check(db, store)
    await undo_import(db, record.id)
    await check(db, store)


async def test_a_day_that_has_not_changed_is_not_read_again(committed_db: Database, geo: Geo) -> None:
    db, store = committed_db, ColumnStore()
    await Importer(db, geo).empty()
    await buy(db, 1, 9, 7)
    await buy(db, 1, 10)
    await buy(db, 2, 29, 7)
    await buy(db, 2, 30)
    period = REQUESTS[7]().load({}) | {"since": DAY, "until": DAY + timedelta(days=1)}
    assert (await run_report(db, store, get_report("7"), period)).rows == [PurchaseUsers(1, 1)]
    async with db.transaction() as session:
        await session.execute(text("DELETE FROM payment WHERE cart_id = 1"))  # which no code of ours does
    assert (await run_report(db, store, get_report("7"), period)).rows == [PurchaseUsers(1, 1)]
    assert (await run_report(db, ColumnStore(), get_report("7"), period)).rows == []
