"""Migrations that change spread tables, on a cluster that was spread before them."""

from pathlib import Path

import asyncpg

from clients.geo import Geo
from db.database import Database
from db.distribution import distribute_table, is_spread, select_local_tables
from db.migrate import downgrade, migrate, newest_revision, upgrade
from tests.support.citus import needs_cluster
from tests.support.log_imports import Importer
from tests.support.old_databases import on_connection, rows_by_import

pytestmark = needs_cluster
BEFORE = "0044"  # columns of parts have no narrow forms
LOGS = [Path(__file__).parents[1] / "support" / "before_columns" / name for name in ("shop.txt", "later.txt")]


async def distribute(url: str) -> None:
    connection = await asyncpg.connect(url)
    for table in await select_local_tables(connection):
        await distribute_table(connection, table.name)
    assert await is_spread(connection)
    await connection.close()


async def test_narrow_columns_come_to_a_spread_database_and_go_again(cluster_url: str, geo: Geo) -> None:
    await on_connection(cluster_url, lambda connection: upgrade(connection, BEFORE))
    await distribute(cluster_url)
    assert await migrate(cluster_url) == (BEFORE, newest_revision())
    db = Database.connect(cluster_url)
    shop = Importer(db, geo)
    await shop.read(LOGS[0])
    shown = await rows_by_import(shop)
    assert len(shown) == 65
    await on_connection(cluster_url, lambda connection: downgrade(connection, BEFORE))
    assert await rows_by_import(shop) == shown
    await migrate(cluster_url)
    await shop.read(LOGS[1])
    assert len(await rows_by_import(shop)) == 65 + 30
    wide = await shop.rows(
        "SELECT occurred IS NOT NULL, count(*) FROM visit_part_columns GROUP BY 1 ORDER BY 1"
    )
    assert wide == [(False, 1), (True, 1)]
    await db.close()
