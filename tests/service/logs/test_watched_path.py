"""What a path is known to have named, and when its rotated logs have to be searched."""

import os
import shutil
from datetime import UTC
from pathlib import Path

import pytest

from service.logs.chunks import Position
from service.logs.format_options import FormatOptions
from service.logs.watched_file import WATCH_LIMITS
from service.logs.watched_path import RotationLimits, WatchedPath
from tests.support.log_imports import some_lines

FORMATS = FormatOptions(UTC)


@pytest.mark.parametrize("appends", [True, False])
def test_copies_are_searched_once_something_stands_in_a_log_that_was_empty(
    tmp_path: Path, appends: bool
) -> None:
    """It may have been written to, copied and cut since: nothing else tells that."""
    log = tmp_path / "access.log"
    writer = os.open(log, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if appends else 0))
    watched = WatchedPath(log)
    try:
        os.write(writer, some_lines(10))
        watched.look()
        os.truncate(log, 0)
        watched.look()
        watched.has_missed = False  # copies were searched
        watched.look()
        assert not watched.has_missed
        os.write(writer, some_lines(5, start=10))
        shutil.copyfile(log, tmp_path / "access.log.1")
        os.truncate(log, 0)
        os.write(writer, some_lines(2, start=30))
        watched.look()
        assert watched.has_missed
        watched.has_missed = False
        os.write(writer, some_lines(2, start=40))
        watched.look()
        assert not watched.has_missed
    finally:
        watched.close()
        os.close(writer)


def test_a_log_that_can_not_be_read_is_waited_for_no_longer_for_the_hole_before_its_lines(
    tmp_path: Path,
) -> None:
    log, limits = tmp_path / "access.log", RotationLimits(longest=3, unread_bytes=10_000)
    writer = os.open(log, os.O_WRONLY | os.O_CREAT)
    watched = WatchedPath(log, limits)
    try:
        os.lseek(writer, 2 * limits.unread_bytes, os.SEEK_SET)
        os.write(writer, some_lines(10))
        watched.look()
        log.rename(tmp_path / "access.log.1")
        log.write_bytes(some_lines(5, start=10))
        for _ in range(limits.longest + 1):
            watched.look()
        assert watched.due_versions() == watched.versions  # the old one is tried again, beside the new one
        assert len(watched.versions) == 2
    finally:
        watched.close()
        os.close(writer)


def test_lines_behind_a_hole_that_came_between_two_looks_are_read_though_the_log_is_cut_again(
    tmp_path: Path,
) -> None:
    log, hole = tmp_path / "access.log", WATCH_LIMITS.ahead_bytes + 1_000_000
    writer = os.open(log, os.O_WRONLY | os.O_CREAT)
    watched = WatchedPath(log)
    try:
        watched.look()
        os.lseek(writer, hole, os.SEEK_SET)
        os.write(writer, some_lines(10))
        assert len(watched.first_lines(FORMATS)) == 1  # copies are searched
        os.truncate(log, 0)
        os.write(writer, some_lines(5, start=10))
        watched.look()
        cut, _ = watched.versions
        assert watched.due_versions() == watched.versions[:1]
        cut.log.seek(Position.start())
        assert b"".join(chunk.data for chunk in cut.log.chunks()) == some_lines(10)
        assert watched.due_versions() == watched.versions[1:]
        assert watched.ended_versions() == [cut]
    finally:
        watched.close()
        os.close(writer)
