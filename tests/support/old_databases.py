"""Databases as earlier builds have left them, and what is in them after their migration."""

from collections.abc import Callable
from typing import TypeVar

import asyncpg
from sqlalchemy import Connection

from db.engine import create_engine
from tests.support.log_imports import Importer

T = TypeVar("T")

ALL = """
    SELECT visit.id, occurred_at, position, source, kind, host(address), country, category.name, product.name,
           user_id, cart_id, goods_id, amount, page_url, buyer_id, import_id
    FROM visit LEFT JOIN category ON category.id = category_id LEFT JOIN product ON product.id = product_id
    ORDER BY visit.id"""


class Interrupted(Exception):
    pass


async def on_connection(url: str, work: Callable[[Connection], T]) -> T:
    engine = create_engine(url, pool_size=1)
    async with engine.begin() as connection:
        result = await connection.run_sync(work)
    await engine.dispose()
    return result


async def execute(url: str, statements: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(statements)
    await connection.close()


async def rows_by_import(shop: Importer) -> list[tuple[object, ...]]:
    """All visits, with the number of their import instead of its id."""
    ids = {row[0]: number for number, row in enumerate(await shop.rows("SELECT id FROM import ORDER BY id"))}
    return [(*row, ids.get(import_id)) for *row, import_id in await shop.rows(ALL)]
