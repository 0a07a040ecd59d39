"""Logs that begin with a hole of NULs, as copytruncate leaves them and their copies."""

from datetime import UTC
from pathlib import Path

import pytest

from service.logs.format_options import FormatOptions
from service.logs.source import LogSource
from tests.support.log_writer import copy_without_hole, log_line

LINES = b"".join(map(log_line, range(500)))


@pytest.mark.parametrize("hole", [0, 100, 5_000, 3_000_000])
def test_a_log_behind_a_hole_has_the_first_line_and_all_bytes_of_its_copies(
    tmp_path: Path, hole: int
) -> None:
    sparse, dense, copy = (tmp_path / name for name in ("sparse", "dense", "copy"))
    with sparse.open("wb") as file:
        file.truncate(hole)
        file.seek(hole)
        file.write(LINES)
    dense.write_bytes(bytes(hole) + LINES)
    copy_without_hole(sparse, copy)
    plain = tmp_path / "plain"
    plain.write_bytes(LINES)
    expected = LogSource.of_file(plain).digest_first_line(FormatOptions(UTC))
    assert expected
    for path in (sparse, dense, copy):
        source = LogSource.of_file(path)
        assert source.digest_first_line(FormatOptions(UTC)) == expected
        with source.open() as log:
            assert log.first_line(FormatOptions(UTC)) == expected
            assert b"".join(chunk.data for chunk in log.file.chunks()).lstrip(b"\0") == LINES
            assert log.file.offset == hole + len(LINES)


def test_a_log_that_is_nothing_but_a_hole_has_no_first_line(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        file.truncate(1_000_000)
    assert LogSource.of_file(path).digest_first_line(FormatOptions(UTC)) == b""
