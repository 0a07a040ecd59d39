"""A watched file whose writer was cut off at its place, so that it begins with a hole of NULs."""

import io
import os
from pathlib import Path

import pytest

from service.logs.watched_file import WatchedFile, WatchLimits

LIMITS = WatchLimits(ahead_bytes=100_000)
LINE = b"a line\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def write_behind_hole(path: Path, hole: int, lines: bytes, *, is_sparse: bool) -> None:
    """Write a file as a cut leaves it under a writer without O_APPEND; a copy of it has no sparse hole."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.truncate(0)
        if is_sparse:
            file.seek(hole)
        else:
            file.write(bytes(hole))
        file.write(lines)


def read_all(file: WatchedFile) -> bytes:
    """Read the file from its start, in blocks."""
    file.seek(0)
    content = io.BytesIO()
    while block := file.read(64_000):
        content.write(block)
    return content.getvalue()


@pytest.mark.parametrize("is_sparse", [True, False])
@pytest.mark.parametrize("hole", [1, 4096, 99_999, 100_000, 1024 * 1024, 3_000_001])
def test_lines_behind_any_hole_are_remembered_and_a_cut_is_noticed(
    path: Path, hole: int, is_sparse: bool
) -> None:
    write_behind_hole(path, hole, LINE * 10, is_sparse=is_sparse)
    file = WatchedFile(path, limits=LIMITS)
    assert file.look()
    write_behind_hole(path, hole + 500, LINE * 20, is_sparse=is_sparse)
    assert file.look()
    assert file.is_cut
    assert read_all(file) == bytes(hole) + LINE * 10
    file.close()


def test_a_hole_that_nothing_stands_behind_yet_may_become_longer(path: Path) -> None:
    path.write_bytes(bytes(5000))
    file = WatchedFile(path, limits=LIMITS)
    file.look()
    write_behind_hole(path, 2_000_000, LINE, is_sparse=True)
    file.look()
    assert not file.is_cut
    assert read_all(file) == bytes(2_000_000) + LINE
    os.truncate(path, 100)
    file.look()
    assert file.is_cut
    file.close()


def test_what_is_appended_behind_a_hole_is_read_on(path: Path) -> None:
    write_behind_hole(path, 500_000, LINE, is_sparse=True)
    file = WatchedFile(path, limits=LIMITS)
    file.look()
    with path.open("ab") as writer:
        writer.write(LINE * 3)
    file.look()
    assert read_all(file) == bytes(500_000) + LINE * 4
    assert not file.is_cut
    file.close()


def test_a_hole_that_came_since_the_last_look_takes_no_memory_and_what_is_behind_it_survives_a_cut(
    path: Path,
) -> None:
    """A read comes between two looks, such as for the first line, as copies are searched."""
    path.touch()
    file = WatchedFile(path, limits=LIMITS)
    file.look()
    write_behind_hole(path, 250_000, LINE * 10, is_sparse=True)
    content = bytes(250_000) + LINE * 10
    assert read_all(file) == content
    write_behind_hole(path, 300_000, LINE, is_sparse=True)
    file.look()
    assert file.is_cut
    assert file.hole == 250_000
    assert read_all(file) == content
    file.close()


def test_a_log_that_was_cut_has_no_lines_where_what_was_read_of_it_is_forgotten(path: Path) -> None:
    path.write_bytes(LINE * 30_000)
    file = WatchedFile(path, limits=LIMITS)
    file.look()
    read_all(file)  # more than is remembered, and nothing of it could be stored
    os.truncate(path, 0)
    file.look()
    assert file.is_cut
    assert read_all(file) == b""
    assert not file.has_lines(0)
    assert file.has_lines(len(LINE) * 30_000 - 50_000)
    file.close()
