"""Errors of the database that come again with each retry end an import with their cause, until mended."""

from datetime import UTC
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from db.models import Import
from db.outages import sqlstate
from db.queries.imports import select_stale_imports
from service.background import Background, Schedule
from service.imports.jobs import get_import, list_imports
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.imports.undo import delete_import, is_being_undone
from service.logs.source import LogSource
from tests.service.imports.test_follow import append, follow, wait_for_visits
from tests.service.imports.test_recovery import die_importing, have_ended, imports_when, recovery
from tests.support.eventually import eventually
from tests.support.log_imports import NOW, PATIENT_UNDO, Importer, some_lines, write

LINES = 200
# What breaks a database, what mends it, and the cause that the import tells.
FAULTS = [
    (
        "REVOKE INSERT ON visit_part FROM CURRENT_USER",
        "GRANT INSERT ON visit_part TO CURRENT_USER",
        "permission denied for table visit_part (42501)",
    ),
    (
        "ALTER TABLE request_quarter RENAME COLUMN requests TO views",
        "ALTER TABLE request_quarter RENAME COLUMN views TO requests",
        'column "requests" of relation "request_quarter" does not exist (42703)',
    ),
    (
        "ALTER TABLE visit_part RENAME TO parts",
        "ALTER TABLE parts RENAME TO visit_part",
        "does not exist (42P01)",
    ),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "logs.txt"
    write(path, some_lines(LINES))
    return path


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def import_as_server(shop: Importer, log: Path) -> Import:
    """Import as a server does: what an error that passes has ended is left running, for it to resume."""
    return await import_log(
        shop.db,
        shop.geo,
        LogSource.of_file(log, chunk_bytes=1500),
        ImportOptions(UTC, mode="resume"),
        clock=lambda: NOW,
        on_progress=lambda _: None,
    )


async def all_imports(shop: Importer) -> list[Import]:
    return await list_imports(shop.db, after=None, limit=10, offset=0)


@pytest.mark.parametrize(("fault", "mend", "cause"), FAULTS)
async def test_an_error_that_lasts_ends_an_import_with_its_cause(
    shop: Importer, log: Path, committed_url: str, *, fault: str, mend: str, cause: str
) -> None:
    await execute(committed_url, fault)
    with pytest.raises((DBAPIError, asyncpg.PostgresError)) as raised:
        await import_as_server(shop, log)
    assert (sqlstate(raised.value) or "").startswith("42")
    [record] = await all_imports(shop)
    assert (record.status, record.imported, record.finished_at) == ("failed", 0, NOW)
    assert str(record.error).startswith("the database refuses it: ")
    assert cause in str(record.error)
    await execute(committed_url, mend)
    assert (await import_as_server(shop, log)).imported == LINES
    derived = await shop.derived()
    assert derived == await shop.derived_at_once(log)


@pytest.mark.slow
async def test_an_error_that_lasts_ends_a_recovered_import_too(
    shop: Importer, log: Path, committed_url: str
) -> None:
    await die_importing(committed_url, log, "server")
    fault, mend, cause = FAULTS[0]
    await execute(committed_url, fault)
    async with recovery(shop, log.parent):
        [record] = await imports_when(shop, have_ended)
    assert record.status == "failed"
    assert cause in str(record.error)
    await execute(committed_url, mend)
    assert (await import_as_server(shop, log)).imported == LINES - record.imported


async def test_a_followed_log_has_one_row_for_all_attempts_and_goes_on_once_mended(
    shop: Importer, log: Path, committed_url: str
) -> None:
    fault, mend, cause = FAULTS[0]
    await execute(committed_url, fault)
    attempts: list[Import] = []

    def on_progress(record: Import) -> None:
        if record.lines == 0:
            attempts.append(record)

    async def has_tried_again() -> bool:
        return len(attempts) > 3

    schedule = Schedule(every=0.05, retry=0.05, retry_lasting=0.05)
    async with follow(shop, log, schedule=schedule, on_progress=on_progress):
        await eventually(has_tried_again)
        [record] = await imports_when(shop, have_ended)
        assert (record.status, cause in str(record.error)) == ("failed", True)
        await execute(committed_url, mend)
        await wait_for_visits(shop, LINES)
        append(log, some_lines(5, start=LINES))
        await wait_for_visits(shop, LINES + 5)
        [again] = await imports_when(shop, have_ended)
    assert (again.id, again.status, again.error, again.imported) == (record.id, "done", None, LINES + 5)


@pytest.mark.slow
async def test_an_error_that_lasts_ends_an_undo_with_its_cause(
    shop: Importer, log: Path, committed_url: str
) -> None:
    record = await import_as_server(shop, log)
    await execute(committed_url, "REVOKE DELETE ON visit_part FROM CURRENT_USER")
    background = Background()
    await delete_import(shop.db, background, record.id, clock=lambda: NOW, limits=PATIENT_UNDO)
    await background.close()
    answer = await get_import(shop.db, record.id)
    assert (answer.status, answer.undo_at, is_being_undone(answer)) == ("failed", None, False)
    assert "permission denied for table visit_part (42501)" in str(answer.error)
    assert "undo it again" in str(answer.error)
    async with shop.db.read() as session:
        assert await select_stale_imports(session, stale_after=0.0) == []  # no server tries it again
    await execute(committed_url, "GRANT DELETE ON visit_part TO CURRENT_USER")
    await delete_import(shop.db, background, record.id, clock=lambda: NOW, limits=PATIENT_UNDO)
    await background.close()
    again = await get_import(shop.db, record.id)
    assert (again.status, again.error) == ("undone", None)
    assert (await import_as_server(shop, log)).imported == LINES
