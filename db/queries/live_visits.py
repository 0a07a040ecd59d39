"""Live visits: stored with what counts them in one statement, and found again by their ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from asyncpg import Connection
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.models import PageVisits
from db.queries.visit_list import VisitRow
from db.sql import raw_statement, statement


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A live visit as it is stored; categories, products and bare paths by the SHA-256 of their names."""

    request_id: str
    occurred_at: datetime
    position: int
    source: str
    kind: str
    address: str | None
    country: str | None
    category: bytes | None
    product: bytes | None
    user_id: int
    cart_id: int | None
    goods_id: int | None
    amount: int | None
    buyer_id: int | None
    page_url: str
    page_sha256: bytes | None


@dataclass(frozen=True, slots=True)
class Stored:
    """`page_visits`: visits of the page, this one included; None for pages that are not counted."""

    created: bool
    page_visits: int | None


def digest(name: str) -> bytes:
    """What categories, products and pages are known by: their names may be too long for an index."""
    return sha256(name.encode()).digest()


async def insert_live_visits(
    driver: Connection, rows: Sequence[LiveRow], *, learning: bool
) -> dict[str, Stored]:
    """Store visits of distinct ids. By id, what became of each; empty if a name has no id yet.

    `learning`: goods are learned from them afterwards. Where they must be and are not, it is empty too.
    """
    if len(rows) == 1:
        sql, names = raw_statement("visits/store_live_visit")
        values = [learning if name == "learning" else getattr(rows[0], name) for name in names]
    else:
        sql, names = raw_statement("visits/store_live_visits")
        values = [learning if name == "learning" else [getattr(row, name) for row in rows] for name in names]
    told = await driver.fetch(sql, *values)
    return {request_id: Stored(created, visits) for request_id, created, visits in told}


async def insert_page_names(session: AsyncSession, pages: Sequence[tuple[str, str | None]]) -> None:
    """Give ids to categories, and to products (category, name), that have none yet."""
    categories = sorted({(digest(category), category) for category, _ in pages})
    await session.execute(
        text(
            "INSERT INTO category (name, name_sha256) "
            "SELECT * FROM unnest(CAST(:names AS text[]), CAST(:digests AS bytea[])) AS new(name, digest) "
            "ORDER BY new.digest ON CONFLICT DO NOTHING"
        ),
        {"names": [name for _, name in categories], "digests": [key for key, _ in categories]},
    )
    products = [(category, product) for category, product in pages if product is not None]
    await session.execute(statement("visits/name_pages"), product_arrays(products))


def product_arrays(products: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    return {
        "category": [digest(category) for category, _ in products],
        "product": [product for _, product in products],
        "product_sha256": [digest(product) for _, product in products],
    }


async def select_live_visits(session: AsyncSession, request_ids: Sequence[str]) -> dict[str, VisitRow]:
    """The live visits of these ids, by id."""
    rows = await session.execute(statement("visits/live_visits"), {"request_ids": list(request_ids)})
    return {row.request_id: VisitRow(*row) for row in rows}


async def select_page_visits(session: AsyncSession, page_url: str) -> int:
    """Live visits of a page that is named by its path."""
    known = select(PageVisits.visits).where(PageVisits.page_sha256 == digest(page_url))
    return await session.scalar(known) or 0
