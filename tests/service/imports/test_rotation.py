"""Following through rotations of each kind: whatever was whole when it was looked at is stored, once."""

import asyncio
import os
import shutil
from collections.abc import Callable, MutableMapping, Sequence
from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from service.imports.catch_up import import_rest_of_cut
from service.imports.follow_events import FollowEvents
from service.imports.follow_locks import FollowLocks
from service.imports.jobs import list_imports
from service.imports.record import ImportOptions
from service.imports.version_import import VersionImporter
from service.logs.watched_path import RotationLimits, WatchedPath
from tests.service.imports.test_follow import append, follow, rename, wait_for_visits
from tests.support.eventually import eventually
from tests.support.log_imports import NOW, Importer, some_lines, write

PATIENT = RotationLimits(linger=1_000_000)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def turn_link(link: Path, target: Path) -> None:
    """Make a link name another file, at once, as `ln -sfn` does."""
    turned = link.with_name("turned")
    turned.symlink_to(target.name)
    turned.replace(link)


def copy_and_cut(log: Path, name: str) -> None:
    """Rotate a log as logrotate does with copytruncate."""
    shutil.copyfile(log, log.with_name(name))
    os.truncate(log, 0)


async def imports(shop: Importer) -> list[tuple[object, ...]]:
    """Return the imports, oldest first: name, status, imported, duplicates, rejected."""
    rows = await list_imports(shop.db, after=None, limit=100, offset=0)
    return [(row.name, row.status, row.imported, row.duplicates, row.rejected) for row in reversed(rows)]


async def test_a_link_that_is_turned_to_the_next_log_is_a_rotation(shop: Importer, log: Path) -> None:
    days = [log.with_name(f"day{number}.log") for number in (1, 2)]
    write(days[0], some_lines(10))
    turn_link(log, days[0])
    async with follow(shop, log, limits=PATIENT):
        await wait_for_visits(shop, 10)
        append(days[0], some_lines(5, start=10))  # and nobody has looked yet
        write(days[1], some_lines(3, start=50))
        turn_link(log, days[1])
        await wait_for_visits(shop, 18)
        append(days[0], some_lines(2, start=15))  # a writer that has not noticed yet
        append(days[1], some_lines(1, start=53))
        await wait_for_visits(shop, 21)
    assert await imports(shop) == [("day1.log", "done", 17, 0, 0), ("day2.log", "done", 4, 0, 0)]


@pytest.mark.parametrize("appends", [True, False])
async def test_a_log_that_is_copied_and_cut_again_and_again_loses_nothing(
    shop: Importer, log: Path, appends: bool
) -> None:
    flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if appends else 0)
    writer, count = os.open(log, flags), 0
    try:
        async with follow(shop, log):
            for rotation in range(4):
                os.write(writer, b"a reject\n" + some_lines(20, start=count))
                count += 20
                await wait_for_visits(shop, count)
                copy_and_cut(log, f"access.log.{rotation}")
                if rotation == 2:  # it has not grown yet when it is looked at
                    await asyncio.sleep(0.2)
    finally:
        os.close(writer)
    assert await imports(shop) == [("access.log", "done", 20, 0, 1)] * 4
    await shop.check_rollups()


async def test_what_was_written_between_the_last_look_and_the_cut_is_read_from_the_copy(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
        append(log, some_lines(5, start=10))
        copy_and_cut(log, "access.log.1")
        append(log, some_lines(2, start=30))
        await wait_for_visits(shop, 17)
    assert await imports(shop) == [("access.log", "done", 15, 0, 0), ("access.log", "done", 2, 0, 0)]


async def test_a_log_that_was_cut_without_a_copy_is_told_to_have_lost_lines_perhaps(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(10))
    with capture_logs() as records:
        async with follow(shop, log):
            await wait_for_visits(shop, 10)
            copy_and_cut(log, "access.log.1")
            append(log, some_lines(2, start=30))
            await wait_for_visits(shop, 12)
            assert lost_rests(records) == []
            os.truncate(log, 0)
            append(log, some_lines(1, start=40))
            await wait_for_visits(shop, 13)
            await wait_for_log(lambda: lost_rests(records) == [str(log)])


async def test_a_log_of_which_nothing_could_be_stored_before_it_was_cut_is_read_from_its_copy(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(10))
    watched, locks = WatchedPath(log), FollowLocks(shop.db)
    options = ImportOptions(UTC, mode="follow")
    importer = VersionImporter(shop.db, shop.geo, options, lambda: NOW, FollowEvents(), locks, watched)
    watched.look()
    copy_and_cut(log, "access.log.1")
    watched.look()
    try:
        cut, _ = watched.versions
        cut.is_ours = True
        await import_rest_of_cut(importer, cut)
    finally:
        watched.close()
    assert await imports(shop) == [("access.log", "done", 10, 0, 0)]


async def wait_for_log(condition: Callable[[], bool]) -> None:
    async def holds() -> bool:
        return condition()

    await eventually(holds)


def lost_rests(records: Sequence[MutableMapping[str, object]]) -> list[object]:
    """Return the paths of logs whose last lines may be lost, as the log says."""
    return [record["path"] for record in records if record["event"] == "log_rest_lost"]


async def test_what_was_seen_before_a_cut_is_stored_though_the_database_did_not_answer(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
        async with shop.db.transaction() as session:
            await session.execute(text("LOCK TABLE import IN ACCESS EXCLUSIVE MODE"))
            for rotation in range(1, 4):
                append(log, some_lines(5, start=10 * rotation))
                await asyncio.sleep(0.5)  # many looks
                os.truncate(log, 0)
                await asyncio.sleep(0.5)
        await wait_for_visits(shop, 25)
    assert [row[1:] for row in await imports(shop)] == [
        ("done", 15, 0, 0),
        ("done", 5, 0, 0),
        ("done", 5, 0, 0),
    ]


async def test_writers_may_write_on_to_a_renamed_log(shop: Importer, log: Path) -> None:
    write(log, some_lines(10))
    async with follow(shop, log, limits=PATIENT):
        await wait_for_visits(shop, 10)
        rename(log, "access.log.1")
        write(log, b"")
        for start in range(10, 40, 10):
            append(log.with_name("access.log.1"), some_lines(10, start=start))
            await wait_for_visits(shop, start + 10)
        append(log, some_lines(5, start=100))
        await wait_for_visits(shop, 45)
        append(log.with_name("access.log.1"), some_lines(1, start=40))
        await wait_for_visits(shop, 46)
    assert [row[1:] for row in await imports(shop)] == [("done", 41, 0, 0), ("done", 5, 0, 0)]


@pytest.mark.slow
async def test_several_logs_are_followed_at_once(shop: Importer, tmp_path: Path) -> None:
    logs = [tmp_path / f"{number}.log" for number in range(12)]
    async with follow(shop, *logs):
        for number, path in enumerate(logs):
            write(path, some_lines(10, start=100 * number))
        await wait_for_visits(shop, 120)
        for number, path in enumerate(logs):
            append(path, some_lines(5, start=100 * number + 10))
        await wait_for_visits(shop, 180)
    assert sorted(await imports(shop)) == sorted((path.name, "done", 15, 0, 0) for path in logs)


@pytest.mark.parametrize("cut", [True, False])
async def test_what_was_rotated_away_while_nobody_followed_is_read_first(
    shop: Importer, log: Path, cut: bool
) -> None:
    write(log, some_lines(10))
    async with follow(shop, log):
        await wait_for_visits(shop, 10)
    append(log, some_lines(5, start=10))
    old = log.with_name("access.log.2")
    if cut:
        copy_and_cut(log, old.name)
    else:
        rename(log, old.name)
    os.utime(old, (1_000_000, 1_000_000))
    between, unrelated = log.with_name("access.log.1"), log.with_name("access.log.3")
    write(between, some_lines(7, start=100))
    write(unrelated, some_lines(7, start=200))  # from before it was ever followed
    os.utime(unrelated, (900_000, 900_000))
    write(log, some_lines(3, start=300))
    async with follow(shop, log):
        await wait_for_visits(shop, 25)
        append(log, some_lines(1, start=303))
        await wait_for_visits(shop, 26)
    done = [row[1:] for row in await imports(shop)]
    assert done == [("done", count, 0, 0) for count in (10, 5, 7, 4)]
    async with follow(shop, log):
        append(log, some_lines(1, start=304))
        await wait_for_visits(shop, 27)
    assert len(await imports(shop)) == 5  # and nothing is read again


async def test_a_log_whose_lines_do_not_fit_yet_waits_for_the_first_that_does(
    shop: Importer, log: Path
) -> None:
    write(log, b"start worker process 7\n" * 40)
    async with follow(shop, log):
        await asyncio.sleep(0.3)
        assert await imports(shop) == []
        append(log, some_lines(3))
        await wait_for_visits(shop, 3)
        append(log, b"start worker process 8\n" + some_lines(1, start=3))
        await wait_for_visits(shop, 4)
    assert await imports(shop) == [("access.log", "done", 4, 0, 41)]


async def test_the_logs_of_one_path_on_two_machines_are_both_followed(
    shop: Importer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each machine has its own folder here, which is given the same name in the database."""
    logs = [tmp_path / host / "access.log" for host in ("a", "b")]
    for log, start in zip(logs, (0, 100), strict=True):
        log.parent.mkdir()
        write(log, some_lines(10, start=start))
    monkeypatch.setattr("service.logs.watched_path.file_key", lambda path: "/var/log/access.log")
    async with follow(shop, logs[0]), follow(shop, logs[1]):
        await wait_for_visits(shop, 20)
        for _ in range(2):
            for log, start in zip(logs, (10, 110), strict=True):
                append(log, some_lines(10, start=start))
            await wait_for_visits(shop, 40)
    assert await shop.rows("SELECT line FROM file_position") == [(20,), (20,)]


async def test_a_followed_log_never_holds_up_the_others_by_what_is_no_file(shop: Importer, log: Path) -> None:
    folder, loop = log.with_name("folder.log"), log.with_name("loop.log")
    folder.mkdir()
    turn_link(loop, loop)

    async def is_read() -> bool:
        return len(await imports(shop)) == 1

    async with follow(shop, folder, loop, log.with_name("none.log"), log):
        write(log, some_lines(10))
        await wait_for_visits(shop, 10)
        await eventually(is_read)
