"""One path and first line may be two files, on two hosts; or one file, on a host that was started anew."""

import asyncio
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import update

from db.locks import import_key, try_lock
from db.models import Import
from service.background import Background
from service.errors import Conflict
from service.imports import recovery
from service.imports.follow_locks import FollowLocks
from service.imports.jobs import find_running_import, get_import
from service.imports.outcome import REPLACED
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.imports.undo import delete_import
from service.logs.folder import LogFolder
from tests.support.log_imports import NOW, PATIENT_UNDO, Importer, counts, located, some_lines, write

SMALL = 1000  # bytes a chunk: about ten lines
FIRST = some_lines(1)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs.txt"


async def break_off(shop: Importer, log: Path, location: str, *, lines: bool = True) -> Import:
    """Begin an import of a server, and leave it as one whose host has died."""

    class Died(Exception):
        pass

    def die(record: Import) -> None:
        if record.lines or not lines:
            raise Died

    options = ImportOptions(UTC, mode="resume")
    source = located(log, location, chunk_bytes=SMALL)
    with pytest.raises(Died):
        await import_log(shop.db, shop.geo, source, options, clock=lambda: NOW, on_progress=die)
    async with shop.db.transaction() as session:
        values = {"status": "running", "finished_at": None, "error": None}
        record = await session.scalar(update(Import).values(values).returning(Import))
    assert isinstance(record, Import)
    assert bool(record.lines) is lines
    return record


async def recover(shop: Importer, record: Import, *, is_abandoned: bool) -> Import:
    """Recover an import where its log really lies."""
    assert record.file is not None
    logs = LogFolder(file=Path(record.file), zone=UTC)
    await recovery.recover(shop.db, shop.geo, logs, record, clock=lambda: NOW, is_abandoned=is_abandoned)
    return await get_import(shop.db, record.id)


async def test_each_host_reads_on_where_it_stopped(shop: Importer, log: Path) -> None:
    hosts = {"a": FIRST + some_lines(50, start=100), "b": FIRST + some_lines(30, start=1000)}
    records = []
    for start in (2000, 3000):
        for location, content in hosts.items():
            write(log, content)
            records.append(counts(await shop.read(log, location=location)))
            hosts[location] += some_lines(5, start=start + len(content))
    assert records == [(51, 51, 0, 0), (31, 30, 1, 0), (5, 5, 0, 0), (5, 5, 0, 0)]
    rows = await shop.rows("SELECT location, line FROM file_position ORDER BY 1")
    assert rows == [("a", 56), ("b", 36)]


async def test_a_host_that_was_started_anew_reads_on(shop: Importer, log: Path) -> None:
    """Its position is told by what stands in the file, whichever of the newest it is."""
    for location in ("boot 1", "other host 1", "other host 2"):
        write(log, FIRST + some_lines(50, start=100 * len(location)))
        await shop.read(log, location=location)
    write(log, FIRST + some_lines(60, start=100 * len("boot 1")))
    assert counts(await shop.read(log, location="boot 2")) == (10, 10, 0, 0)
    assert counts(await shop.read(log, location="boot 3")) == (0, 0, 0, 0)


async def test_files_of_two_hosts_are_read_at_once_and_that_of_one_once(shop: Importer, log: Path) -> None:
    write(log, some_lines(100))
    begun = asyncio.Event()
    task = asyncio.create_task(
        shop.read(log, location="a", chunk_bytes=SMALL, on_progress=lambda _: begun.set())
    )
    await begun.wait()
    with pytest.raises(Conflict, match="is being imported"):
        await shop.read(log, location="a")
    other = asyncio.create_task(shop.read(log, location="b", chunk_bytes=SMALL))
    running = await find_running_import(shop.db, located(log, "a"), ImportOptions(UTC))
    records = await asyncio.gather(task, other)
    assert running is not None
    assert running.id == records[0].id
    # The other host's file has the same lines: it is read from where the first one is by then.
    assert [record.status for record in records] == ["done", "done"]
    assert records[0].lines == 100
    assert await shop.rows("SELECT location, line FROM file_position ORDER BY 1") == [("a", 100), ("b", 100)]
    assert await shop.rows("SELECT count(*) FROM visit") == [(100,)]


async def test_a_followed_file_is_one_hosts(shop: Importer) -> None:
    locks, others = FollowLocks(shop.db), FollowLocks(shop.db)
    assert await locks.acquire("/logs.txt", b"first", "a")
    assert not await others.acquire("/logs.txt", b"first", "a")
    assert await others.acquire("/logs.txt", b"first", "b")
    await locks.release_all()
    await others.release_all()


async def test_an_import_of_another_location_is_resumed_where_its_lines_stand(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(100))
    broken = await break_off(shop, log, "boot 1")
    record = await recover(shop, broken, is_abandoned=False)
    assert (record.status, counts(record)) == ("done", (100, 100, 0, 0))
    assert record.location == located(log, None).location
    assert counts(await shop.read(log)) == (0, 0, 0, 0)


async def test_an_import_of_another_hosts_file_is_not_resumed(shop: Importer, log: Path) -> None:
    write(log, FIRST + some_lines(100, start=100))
    broken = await break_off(shop, log, "other host")
    write(log, FIRST + some_lines(90, start=500))
    assert (await recover(shop, broken, is_abandoned=False)).status == "running"
    record = await recover(shop, broken, is_abandoned=True)
    assert (record.status, record.error, record.lines) == ("failed", REPLACED, broken.lines)
    assert counts(await shop.read(log)) == (91, 90, 1, 0)


async def test_an_import_of_another_location_that_has_stored_nothing_waits_for_its_server(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(100))
    broken = await break_off(shop, log, "boot 1", lines=False)
    assert (await recover(shop, broken, is_abandoned=False)).status == "running"
    record = await recover(shop, broken, is_abandoned=True)
    assert (record.status, counts(record)) == ("done", (100, 100, 0, 0))


async def test_an_import_is_not_resumed_elsewhere_while_its_lock_is_held(shop: Importer, log: Path) -> None:
    write(log, some_lines(100))
    broken = await break_off(shop, log, "boot 1")
    async with shop.db.dedicated() as session:
        assert await try_lock(session, import_key(broken.file, broken.first_line_sha256, broken.location))
        assert (await recover(shop, broken, is_abandoned=True)).status == "running"


async def test_an_undo_lets_all_lines_be_imported_again_wherever_the_file_was_read_on(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(100))
    first = await shop.read(log, location="boot 1")
    write(log, some_lines(120))
    assert counts(await shop.read(log, location="boot 2")) == (20, 20, 0, 0)
    background = Background()
    await delete_import(shop.db, background, first.id, clock=lambda: NOW, limits=PATIENT_UNDO)
    await background.close()
    assert counts(await shop.read(log, location="boot 2")) == (120, 100, 20, 0)
