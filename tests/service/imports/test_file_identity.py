"""A file is known by its path and the first line in it that fits: one path on two machines is two files."""

from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import text

from service.background import Background
from service.imports.jobs import get_import
from service.imports.undo import delete_import
from service.logs.format_options import FormatOptions
from service.logs.source import LogSource
from tests.support.log_imports import NOW, PATIENT_UNDO, Importer, counts, some_lines, write

TALK = b"/docker-entrypoint.sh: starting\nnginx: start worker process 7\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs.txt"


def digest(path: Path) -> bytes:
    return LogSource.of_file(path, accept_partial_line=True).digest_first_line(FormatOptions(UTC))


def test_the_first_line_is_the_first_that_fits_whatever_stands_before_it(log: Path) -> None:
    digests = set()
    for before in (
        b"",
        TALK,
        b"\n \r\n",
        bytes(70_000),
        TALK + bytes(200_000),
        b"#Fields: date time\n" * 500,
    ):
        write(log, before + some_lines(2))
        digests.add(digest(log))
    write(log, some_lines(1) + some_lines(9, start=50))
    digests.add(digest(log))
    write(log, some_lines(1).replace(b"\n", b"\r\n"))
    digests.add(digest(log))
    assert len(digests) == 1
    assert b"" not in digests
    write(log, some_lines(2, start=1))
    assert digest(log) not in digests
    for nothing in (b"", TALK, bytes(10_000)):
        write(log, nothing)
        assert digest(log) == b""


async def test_the_same_path_on_two_machines_is_two_files(shop: Importer, log: Path) -> None:
    hosts = [TALK + some_lines(50), TALK + some_lines(30, start=1000)]
    records = []
    for content in (
        hosts[0],
        hosts[1],
        hosts[0] + some_lines(5, start=50),
        hosts[1] + some_lines(5, start=1030),
    ):
        write(log, content)
        records.append(await shop.read(log))
    # Each goes on where it was left, whatever was read of the other meanwhile.
    assert [counts(record) for record in records] == [
        (52, 50, 0, 2),
        (32, 30, 0, 2),
        (5, 5, 0, 0),
        (5, 5, 0, 0),
    ]
    rows = await shop.rows('SELECT line, "offset" FROM file_position ORDER BY line')
    assert rows == [
        (37, len(hosts[1] + some_lines(5, start=1030))),
        (57, len(hosts[0] + some_lines(5, start=50))),
    ]


async def test_undoing_the_import_of_one_machine_leaves_the_others_position(
    shop: Importer, log: Path
) -> None:
    write(log, some_lines(50))
    await shop.read(log)
    write(log, some_lines(30, start=1000))
    other = await shop.read(log)
    background = Background()
    await delete_import(shop.db, background, other.id, clock=lambda: NOW, limits=PATIENT_UNDO)
    await background.close()
    assert (await get_import(shop.db, other.id)).status == "undone"
    assert await shop.rows("SELECT line FROM file_position") == [(50,)]
    assert counts(await shop.read(log)) == (30, 30, 0, 0)


async def test_a_position_that_is_stored_by_the_path_alone_is_taken_over(shop: Importer, log: Path) -> None:
    write(log, some_lines(50))
    first = await shop.read(log)
    async with shop.db.transaction() as session:
        await session.execute(text("UPDATE file_position SET first_line_sha256 = ''"))
        await session.execute(text("UPDATE import SET first_line_sha256 = NULL"))
    write(log, some_lines(60))
    assert counts(await shop.read(log)) == (10, 10, 0, 0)
    assert await shop.rows("SELECT length(first_line_sha256), line FROM file_position") == [(32, 60)]
    # An import from before knows no first line; its undo restores what is stored of its path.
    background = Background()
    await delete_import(shop.db, background, first.id, clock=lambda: NOW, limits=PATIENT_UNDO)
    await background.close()
    assert counts(await shop.read(log)) == (60, 50, 10, 0)


async def test_positions_of_files_rotated_away_long_ago_are_forgotten(shop: Importer, log: Path) -> None:
    write(log, some_lines(50))
    await shop.read(log)
    async with shop.db.transaction() as session:
        await session.execute(text("UPDATE file_position SET updated_at = '2020-01-01'"))
    write(log, some_lines(30, start=1000))
    await shop.read(log)
    assert await shop.rows("SELECT line FROM file_position") == [(30,)]
