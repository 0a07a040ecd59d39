"""Frames of visits have the columns of the view, whatever is added to it."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import polars as pl
import pytest
from sqlalchemy import insert, select

from db.database import Database
from db.models import LiveVisit, Visit
from db.visit_frame import COLUMNS, frame_columns, visit_frame

VISIT: dict[str, Any] = {
    "occurred_at": datetime(2026, 1, 1, 12, tzinfo=UTC),
    "request_id": str(UUID(int=2**100)),
    "position": 2**62,
    "source": "api",
    "kind": "cart",
    "address": "8.8.8.8",
    "country": "US",
    "category_id": 2**31 - 1,
    "product_id": 1,
    "user_id": 2,
    "cart_id": 3,
    "goods_id": 4,
    "amount": 5,
    "page_url": "/cart",
}


def test_a_frame_has_all_columns_of_visits_that_lines_of_the_shop_fill() -> None:
    columns = ["request_id" if column.name == "id" else column.name for column in Visit.__table__.columns]
    others = ["method", "status", "bytes", "referrer", "agent", "browser", "os", "device", "traffic"]
    assert [*COLUMNS, "buyer_id", "part_id", *others] == columns


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:db8::1", "::ffff:8.8.8.8", None])
async def test_a_frame_holds_what_was_inserted(db: Database, address: str | None) -> None:
    visit = {**VISIT, "address": address}
    async with db.transaction() as session:
        await session.execute(insert(LiveVisit).values(**visit))
        frame = visit_frame(await session.execute(select(*frame_columns())))
    assert frame.rows(named=True) == [{**visit, "import_id": None}]
    assert frame.schema == pl.Schema(COLUMNS)
