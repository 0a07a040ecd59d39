"""Names of categories and products: inserted where they are new, and found by their digests.

Names stay for good. They are inserted in transactions of their own, so that nobody waits for visits because
of a name.
"""

from collections.abc import Iterable, Sequence
from hashlib import sha256

from asyncpg import Connection
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from db.array_literals import array_literal, digest_array, text_array
from db.models import Category
from db.sql import statement

CATEGORY_ID = "SELECT id FROM category WHERE name_sha256 = $1"


def name_digest(name: str) -> bytes:
    """Return the key of a category, product or page: its name may be too long for an index."""
    return sha256(name.encode()).digest()


async def insert_names(session: AsyncSession, pages: Iterable[tuple[str, str | None]]) -> None:
    """Insert the names of pages (category, product) that are new; a category's own page has no product."""
    pages = set(pages)
    categories = sorted({category for category, _ in pages})
    products = sorted((category, product) for category, product in pages if product is not None)
    await session.execute(
        statement("visits/insert_categories"),
        {
            "names": text_array(categories),
            "digests": digest_array([name_digest(name) for name in categories]),
        },
    )
    if products:
        parameters = {
            "categories": digest_array([name_digest(category) for category, _ in products]),
            "names": text_array([name for _, name in products]),
            "digests": digest_array([name_digest(name) for _, name in products]),
        }
        await session.execute(statement("visits/insert_products"), parameters)


async def select_category_id(raw: Connection, name: str) -> int | None:
    category_id: int | None = await raw.fetchval(CATEGORY_ID, name_digest(name))
    return category_id


async def select_categories(session: AsyncSession) -> list[str]:
    """Return the names of all categories, in order."""
    return list(await session.scalars(select(Category.name).order_by(Category.name.collate("C"))))


async def select_category_ids(session: AsyncSession, names: Sequence[str]) -> dict[str, int]:
    """Return the ids of categories by name."""
    rows = await session.execute(
        text(
            "SELECT name, id FROM category WHERE name_sha256 = "
            "ANY(CAST((SELECT CAST(CAST(:digests AS text) AS bytea[])) AS bytea[]))"
        ),
        {"digests": digest_array([name_digest(name) for name in names])},
    )
    return dict(rows.all())


async def select_product_ids(
    session: AsyncSession, names: Sequence[tuple[int, str]]
) -> dict[tuple[int, str], int]:
    """Return the ids of products by (category id, name)."""
    if not names:
        return {}
    parameters = {
        "categories": array_literal(category_id for category_id, _ in names),
        "digests": digest_array([name_digest(name) for _, name in names]),
    }
    rows = await session.execute(statement("visits/product_ids"), parameters)
    return {(category_id, name): product_id for category_id, product_id, name in rows}
