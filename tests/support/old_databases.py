"""Databases as earlier builds have left them, and what is in them after their migration."""

import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import asyncpg
from sqlalchemy import Connection

from db.engine import create_engine
from db.migrate import downgrade
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.log_imports import Importer

T = TypeVar("T")

BEGIN = datetime(2018, 8, 1, tzinfo=UTC)

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


async def leave(url: str, revision: str, folder: Path) -> None:
    """Make a database what the build of a revision has left: with the rows of `folder`."""
    await on_connection(url, lambda connection: downgrade(connection, revision))
    await execute(url, (folder / "rows.sql").read_text())


async def import_anew(
    shop: Importer, logs: Iterable[Path], live: Iterable[tuple[int, str, str, str | None]]
) -> None:
    """Store the same in an empty database: logs, and live visits by second, URL, address and country."""
    await shop.empty()
    for log in logs:
        await shop.read(log)
    for number, (second, url, address, country) in enumerate(live, start=1):
        visit = live_row(
            url,
            id=uuid.UUID(int=number << 64 | 0x4000 << 64 | 8 << 60),
            occurred_at=BEGIN + timedelta(seconds=second),
            position=10**9 + number,
            address=address,
            country=country,
        )
        await store_live_visits(shop.db, [visit])
