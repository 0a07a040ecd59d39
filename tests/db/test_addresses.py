"""Addresses that an import finds new, one of which another has inserted meanwhile."""

from datetime import UTC, datetime

from sqlalchemy import text

from db.database import Database
from db.queries.addresses import insert_addresses

MAY = datetime(2026, 5, 1, tzinfo=UTC)
ROWS = text("SELECT host(address), country, first_product_at, id FROM address ORDER BY address.address")


async def test_addresses_that_others_have_inserted_are_left_out_and_stay_as_they_are(db: Database) -> None:
    async with db.transaction() as session:
        first = await insert_addresses(session, ["10.0.0.2"], ["FI"], [None])
    instant = int(MAY.timestamp()) * 1_000_000
    new = ["2001:db8::1", "10.0.0.2", "10.0.0.1"]
    async with db.transaction() as session:
        ids = await insert_addresses(session, new, ["JP", "SE", None], [None, instant, instant])
        rows = [tuple(row) for row in await session.execute(ROWS)]
    assert set(ids) == {"2001:db8::1", "10.0.0.1"}
    assert rows == [
        ("10.0.0.1", None, MAY, ids["10.0.0.1"]),
        ("10.0.0.2", "FI", None, first["10.0.0.2"]),
        ("2001:db8::1", "JP", None, ids["2001:db8::1"]),
    ]
