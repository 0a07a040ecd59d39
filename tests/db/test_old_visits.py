"""The log lines of a build before columns become parts: as if this build had imported them."""

from dataclasses import replace
from pathlib import Path

import pytest

from clients.geo import Geo
from db import migrate as migrations
from db.database import Database
from db.migrate import current_revision, downgrade, migrate, newest_revision, upgrade
from migrations.old_visits import MoveLimits, move_span
from service.imports.undo import undo_import
from tests.support.log_imports import Importer, counts
from tests.support.old_databases import (
    Interrupted,
    execute,
    import_anew,
    leave,
    on_connection,
    rows_by_import,
)

FOLDER = Path(__file__).parents[1] / "support" / "before_columns"
LOGS = ("shop.txt", "later.txt", "combined.txt")
BEFORE, MOVING_REVISION = "0013", "0020"
LIVE = (
    (5, "/fresh_fish/pike/", "8.8.8.8", "US"),
    (6, "/cart?goods_id=9&amount=4&cart_id=1", "8.8.8.8", "US"),
    (70, "https://shop.example/success_pay_2/", "121.165.118.201", "KR"),
    (71, "/about", "10.0.0.1", None),
)


@pytest.fixture
async def old_url(committed_url: str) -> str:
    """A database of the build before, as it was left."""
    await leave(committed_url, BEFORE, FOLDER)
    return committed_url


@pytest.mark.slow
@pytest.mark.parametrize("lines", [7, 100_000])
async def test_moved_lines_are_what_an_import_makes_of_them(
    old_url: str, committed_db: Database, geo: Geo, lines: int
) -> None:
    await on_connection(old_url, lambda connection: upgrade(connection, MOVING_REVISION))
    limits = MoveLimits(lines)
    while await on_connection(old_url, lambda connection: move_span(connection, limits)):
        pass
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    moved = await shop.derived(), await rows_by_import(shop)
    assert len(moved[1]) == 65 + 30 + 7 + len(LIVE)
    await import_anew(shop, [FOLDER / name for name in LOGS], LIVE)
    assert moved == (await shop.derived(), await rows_by_import(shop))


@pytest.mark.slow
async def test_moved_lines_are_duplicates_when_their_files_are_read_again(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    assert await migrate(old_url) == (BEFORE, newest_revision())
    shop = Importer(committed_db, geo)
    before = await shop.derived()
    for name in LOGS:
        record = await shop.read(FOLDER / name)
        assert (record.imported, record.duplicates) == (0, record.lines)
    assert await shop.derived() == before


@pytest.mark.slow
async def test_a_move_that_was_interrupted_goes_on_where_it_was(
    old_url: str, committed_db: Database, geo: Geo, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, *others = migrations.WORK
    by_twenty = replace(work, change_span=lambda connection: move_span(connection, MoveLimits(20)))
    monkeypatch.setattr(migrations, "WORK", (by_twenty, *others))
    progress: list[tuple[int, int]] = []

    def interrupt(event: str, lines: int, total: int) -> None:
        if event != "visits_moved":
            return
        progress.append((lines, total))
        if len(progress) == 2:
            raise Interrupted

    with pytest.raises(Interrupted):
        await migrate(old_url, on_progress=interrupt)
    assert await on_connection(old_url, current_revision) == MOVING_REVISION
    await migrate(old_url, on_progress=interrupt)
    (first, _), (second, _), *_ = progress
    assert 0 < first < second < 102
    assert progress[-1][0] + second == 102
    shop = Importer(committed_db, geo)
    moved = await shop.derived()
    await import_anew(shop, [FOLDER / name for name in LOGS], LIVE)
    assert moved == await shop.derived()


async def test_countries_that_differ_from_those_of_addresses_move_in_the_roll_ups(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    """An address keeps the country that it had first, whatever newer data say."""
    await execute(
        old_url,
        "UPDATE address SET country = 'FR' WHERE address = '8.8.8.8';"
        "UPDATE address SET country = NULL WHERE address = '121.165.118.201'",
    )
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    await shop.check_rollups()
    countries = await shop.rows("SELECT DISTINCT country FROM visit WHERE source = 'log' ORDER BY 1")
    assert countries == [("FR",), ("KR",), ("US",), (None,)]


@pytest.mark.slow
async def test_a_downgrade_gives_the_rows_back(old_url: str, committed_db: Database, geo: Geo) -> None:
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    moved = await shop.derived(), await rows_by_import(shop)
    await on_connection(old_url, lambda connection: downgrade(connection, BEFORE))
    assert await shop.rows("SELECT count(*), count(DISTINCT request_id) FROM visit") == [(106, 106)]
    assert await shop.rows("SELECT request_id FROM visit WHERE position = 1 AND import_id = 1") == [
        ("00000000",)
    ]
    await migrate(old_url)
    assert moved == (await shop.derived(), await rows_by_import(shop))


async def test_an_import_of_the_build_before_is_undone(
    old_url: str, committed_db: Database, geo: Geo
) -> None:
    await migrate(old_url)
    shop = Importer(committed_db, geo)
    await execute(old_url, "UPDATE import SET undo_at = now() WHERE id = 1")
    await undo_import(committed_db, 1)
    await shop.check_rollups()
    assert await shop.rows("SELECT count(*) FROM visit WHERE import_id = 1") == [(0,)]
    assert counts(await shop.read(FOLDER / "shop.txt"))[1] == 65
