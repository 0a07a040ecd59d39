"""Deleting carts: those that stand in a row by a range of their ids, others one by one."""

from unittest.mock import patch

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.database import Database
from db.frames import NO_NUMBER
from db.queries import stored_carts
from db.queries.stored_carts import delete_carts

NUMBERS = st.sets(st.integers(1, 30), min_size=1)
INSERTS = (
    """
    INSERT INTO cart (id, source, opened_at, opened_position, changed_at, user_id, is_bot)
    SELECT id, 'log', to_timestamp(id), id, to_timestamp(id), nullif(id % 3, 0), id % 2 = 0
    FROM unnest(CAST(:ids AS bigint[])) AS id
    """,
    """
    INSERT INTO payment (cart_id, paid_at, position, source)
    SELECT id, to_timestamp(2 * id), id, 'log' FROM unnest(CAST(:ids AS bigint[])) AS id WHERE id % 2 = 0
    """,
    """
    INSERT INTO cart_item (cart_id, goods_id, amount)
    SELECT id, goods, 1 FROM unnest(CAST(:ids AS bigint[])) AS id, generate_series(1, id % 3) AS goods
    """,
)
LEFT = (
    "SELECT id FROM cart ORDER BY id",
    "SELECT cart_id FROM payment ORDER BY cart_id",
    "SELECT cart_id, goods_id FROM cart_item ORDER BY cart_id, goods_id",
)


@given(stored=NUMBERS, sought=NUMBERS, carts_of_run=st.sampled_from((0, 1, 50)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_carts_are_deleted_and_returned_and_no_others(
    committed_db: Database, *, stored: set[int], sought: set[int], carts_of_run: int
) -> None:
    async with committed_db.transaction() as session:
        for table in ("cart", "payment", "cart_item"):
            await session.execute(text(f"DELETE FROM {table}"))
        for insert in INSERTS:
            await session.execute(text(insert), {"ids": sorted(stored)})
        with patch.object(stored_carts, "CARTS_OF_RUN", carts_of_run):
            carts, payments, items = await delete_carts(session, np.array(sorted(sought), np.int64))
        left = [[tuple(row) for row in await session.execute(text(query))] for query in LEFT]
    gone, stay = sorted(stored & sought), sorted(stored - sought)
    rows = zip(*(carts[name].tolist() for name in ("id", "opened_at", "user_id", "is_bot")), strict=True)
    assert sorted(rows) == [
        (
            cart,
            np.datetime64(cart, "s").astype("M8[us]").item(),
            cart % 3 or NO_NUMBER,
            cart % 2 == 0,
        )
        for cart in gone
    ]
    assert sorted(payments["cart_id"].tolist()) == [cart for cart in gone if cart % 2 == 0]
    assert sorted(zip(items["cart_id"].tolist(), items["goods_id"].tolist(), strict=True)) == items_of(gone)
    assert left == [
        [(cart,) for cart in stay],
        [(cart,) for cart in stay if cart % 2 == 0],
        items_of(stay),
    ]


def items_of(carts: list[int]) -> list[tuple[int, int]]:
    return [(cart, goods) for cart in carts for goods in range(1, cart % 3 + 1)]
