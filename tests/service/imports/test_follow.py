"""Following a log as it grows, is rotated and cut off."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest

from clock import Clock
from db.models import Import
from service.background import Schedule
from service.errors import Conflict
from service.imports.follow import LogFollower
from service.imports.follow_events import FollowEvents
from service.imports.jobs import list_imports
from service.imports.record import ImportOptions, Progress
from service.imports.version_import import VersionImporter
from service.logs.watched_path import RotationLimits
from tests.support.eventually import eventually
from tests.support.log_imports import NOW, Importer, some_lines, write
from tests.support.processes import PATIENCE

SCHEDULE = Schedule(every=0.05, retry=0.05)
LIMITS = RotationLimits(linger=20)


class Progressing(FollowEvents):
    """Tells how imports come along."""

    def __init__(self, on_progress: Progress) -> None:
        self._on_progress = on_progress

    def on_progress(self, path: Path, record: Import) -> None:
        self._on_progress(record)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs.txt"


@asynccontextmanager
async def follow(
    shop: Importer,
    *logs: Path,
    schedule: Schedule = SCHEDULE,
    on_progress: Progress = lambda _: None,
    limits: RotationLimits = LIMITS,
    clock: Clock = lambda: NOW,
) -> AsyncIterator[asyncio.Task[None]]:
    """Follow the logs as the command line does, with short pauses."""
    options = ImportOptions(UTC, mode="follow")
    events = Progressing(on_progress)
    follower = LogFollower(
        shop.db, shop.geo, options, clock, events, look_seconds=0.02, schedule=schedule, limits=limits
    )
    task = asyncio.create_task(follower.follow(*logs))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def wait_for_visits(shop: Importer, count: int) -> None:
    async def are_stored() -> bool:
        return await shop.rows("SELECT count(*) FROM visit") == [(count,)]

    await eventually(are_stored)


def rename(log: Path, name: str) -> None:
    log.rename(log.with_name(name))


def append(log: Path, text: bytes) -> None:
    with log.open("ab") as file:
        file.write(text)


async def test_a_log_is_read_as_it_grows_and_all_of_it_is_one_import(shop: Importer, log: Path) -> None:
    async with follow(shop, log):
        write(log, some_lines(10)[:-5])  # the file comes later than its follower
        await wait_for_visits(shop, 9)
        append(log, some_lines(10)[-5:] + b"bad\n")
        await wait_for_visits(shop, 10)
        append(log, some_lines(5, start=10))
        await wait_for_visits(shop, 15)
        # Somebody else may import it meanwhile, which leaves nothing new.
        append(log, some_lines(5, start=15))
        await wait_for_visits(shop, 20)
    rows = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert [(row.status, row.lines, row.imported, row.rejected) for row in rows] == [("done", 21, 20, 1)]
    [reject] = await shop.rejects(rows[0])
    assert (reject.line, reject.offset) == (11, len(some_lines(10)))
    await shop.check_rollups()


async def test_a_rotated_log_is_read_to_its_end_and_then_the_new_one(shop: Importer, log: Path) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
        rename(log, "logs.txt.1")
        write(log, some_lines(5, start=50))
        append(log.with_name("logs.txt.1"), some_lines(3, start=10).removesuffix(b"\n"))
        await wait_for_visits(shop, 18)
        append(log, some_lines(2, start=55))
        await wait_for_visits(shop, 20)
    rows = await list_imports(shop.db, after=None, limit=10, offset=0)
    counts = [(row.status, row.imported, row.duplicates) for row in rows]
    # A look may come while the new log is there and nothing is written to it.
    assert [count for count in counts if count != ("done", 0, 0)] == [("done", 7, 0), ("done", 13, 0)]


async def test_a_log_that_is_cut_off_in_place_is_read_anew(shop: Importer, log: Path) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
        with log.open("r+b") as file:
            file.truncate()
            file.write(some_lines(20, start=30))
        await wait_for_visits(shop, 30)


async def test_an_import_of_the_followed_log_beside_it_doubles_nothing(shop: Importer, log: Path) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
        append(log, some_lines(300, start=10))
        while True:
            try:
                await shop.read(log)
            except Conflict:
                await asyncio.sleep(0)
            else:
                break
        append(log, some_lines(10, start=310))
        await wait_for_visits(shop, 320)
    await shop.check_rollups()


async def test_one_follows_and_another_takes_over(shop: Importer, log: Path) -> None:
    write(log, some_lines(10))
    async with follow(shop, log) as first, follow(shop, log):
        await wait_for_visits(shop, 10)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        append(log, some_lines(5, start=10))
        await wait_for_visits(shop, 15)
    rows = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert sum(row.lines for row in rows) == 15
    assert {row.status for row in rows} == {"done"}


async def test_following_ends_also_where_its_rollback_finds_no_database(
    shop: Importer, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    importing = asyncio.Event()

    async def import_turn(*_: object) -> bool:
        assert not importing.is_set(), "it goes on"
        importing.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionError("the connection is lost") from None
        raise AssertionError

    monkeypatch.setattr(VersionImporter, "import_turn", import_turn)
    write(log, some_lines(10))
    async with follow(shop, log) as task:
        await importing.wait()
        task.cancel()
        await asyncio.wait([task], timeout=PATIENCE)
        assert task.cancelled()
