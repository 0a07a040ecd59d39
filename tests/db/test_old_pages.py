"""Pages that a build before their normal form has stored: they become what this build makes of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from clients.geo import Geo
from db import migrate as migrations
from db.database import Database
from db.migrate import current_revision, downgrade, migrate, upgrade
from migrations.page_names import RenameLimits, rename_span
from service.imports.undo import undo_import
from tests.support.log_imports import Importer
from tests.support.old_databases import (
    Interrupted,
    execute,
    import_anew,
    leave,
    on_connection,
    rows_by_import,
)

FOLDER = Path(__file__).parents[1] / "support" / "before_normal_pages"
LOGS = ("shop.txt", "upper.txt", "combined.txt")
BEFORE, RENAMING_REVISION = "0021", "0024"
LIVE = (
    (5, "/%D1%80%D1%8B%D0%B1%D0%B0/", "8.8.8.8", "US"),
    (6, "/%d1%80%d1%8b%d0%b1%d0%b0/", "8.8.8.8", "US"),
    (7, "/рыба/", "10.0.0.1", None),
    (8, "/%D1%80%D1%8B%D0%B1%D0%B0/", "121.165.118.201", "KR"),
    (9, "https://Shop.example/caviar/red one", "8.8.8.8", "US"),
    (10, "/cart?goods_id=19&amount=4&cart_id=9", "8.8.8.8", "US"),
    (11, "/success_pay_9/", "8.8.8.8", "US"),
    (12, "/about", "10.0.0.1", None),
    (13, "/about#a%2fb", "10.0.0.1", None),
)
NAMES = (
    "SELECT name, encode(name_sha256, 'hex') FROM category",
    """
    SELECT category.name, product.name, encode(product.name_sha256, 'hex')
    FROM product JOIN category ON category.id = category_id
    """,
    "SELECT encode(page_sha256, 'hex'), visits FROM page_visits",
    """
    SELECT DISTINCT url, kind, category.name, product.name
    FROM page LEFT JOIN category ON category.id = page.category_id
    LEFT JOIN product ON product.id = product_id
    """,
)


@pytest.fixture
async def old_url(committed_url: str) -> str:
    """A database of the build before, as it was left."""
    await leave(committed_url, BEFORE, FOLDER)
    return committed_url


async def everything(shop: Importer) -> list[object]:
    names = [sorted(await shop.rows(statement), key=repr) for statement in NAMES]
    return [await shop.derived(), await rows_by_import(shop), names]


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 7, 100_000])
async def test_old_pages_become_what_an_import_makes_of_them(
    old_url: str, committed_db: Database, geo: Geo, rows: int
) -> None:
    await on_connection(old_url, lambda connection: upgrade(connection, RENAMING_REVISION))
    while await on_connection(old_url, lambda connection: rename_span(connection, RenameLimits(rows))):
        pass
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    renamed = await everything(shop)
    await import_anew(shop, [FOLDER / name for name in LOGS], LIVE)
    assert renamed == await everything(shop)


@pytest.mark.slow
async def test_a_renaming_that_was_interrupted_goes_on_where_it_was(
    old_url: str, committed_db: Database, geo: Geo, monkeypatch: pytest.MonkeyPatch
) -> None:
    *others, work = migrations.WORK
    by_five = replace(work, change_span=lambda connection: rename_span(connection, RenameLimits(5)))
    monkeypatch.setattr(migrations, "WORK", (*others, by_five))
    progress: list[tuple[str, int]] = []

    def interrupt(event: str, rows: int, _: int) -> None:
        progress.append((event, rows))
        if len(progress) in (2, 9, 15):
            raise Interrupted

    for _ in range(3):
        with pytest.raises(Interrupted):
            await migrate(old_url, on_progress=interrupt)
        assert await on_connection(old_url, current_revision) == RENAMING_REVISION
    await migrate(old_url, on_progress=interrupt)
    assert {event for event, _ in progress} == {"pages_renamed"}
    shop = Importer(committed_db, geo)
    [looked_at] = await shop.rows(
        "SELECT 24 + 11 + (SELECT count(*) FROM page) + (SELECT count(*) FROM live_visit)"
    )
    assert progress[1][1] + progress[8][1] + progress[14][1] + progress[-1][1] == looked_at[0]
    renamed = await everything(shop)
    await import_anew(shop, [FOLDER / name for name in LOGS], LIVE)
    assert renamed == await everything(shop)


async def test_the_files_add_nothing_when_they_are_read_again(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    before = await everything(shop)
    pages = await shop.rows("SELECT count(*) FROM page")
    for name in LOGS:
        record = await shop.read(FOLDER / name)
        assert (record.imported, record.duplicates) == (0, record.lines)
    assert await shop.derived() == before[0]
    assert await shop.rows("SELECT count(*) FROM page") == pages


async def test_an_import_of_the_build_before_is_undone(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    await execute(old_url, "UPDATE import SET undo_at = now() WHERE id = 1")
    await undo_import(committed_db, 1)
    await shop.check_rollups()
    assert await shop.rows("SELECT count(*) FROM visit WHERE import_id = 1") == [(0,)]


async def test_a_downgrade_and_an_upgrade_change_nothing(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    renamed = await everything(shop)
    await on_connection(old_url, lambda connection: downgrade(connection, BEFORE))
    await migrate(old_url)
    assert renamed == await everything(shop)
