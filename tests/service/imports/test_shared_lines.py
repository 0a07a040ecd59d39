"""Logs that share lines with one whose import is undone: none of the lines is lost."""

from pathlib import Path

from tests.support.log_imports import Importer, counts, some_lines, write
from tests.support.undo import undo


async def test_another_file_with_the_lines_of_an_undone_import_stores_them_when_it_is_imported_again(
    shop: Importer, tmp_path: Path
) -> None:
    first, other, apart = (tmp_path / name for name in ("first.txt", "other.txt", "apart.txt"))
    lines = some_lines(12).splitlines(keepends=True)
    write(first, b"".join(lines[:4]))
    write(other, b"".join(lines[2:8]))
    write(apart, b"".join(lines[8:]))
    records = [await shop.read(path) for path in (first, other, apart)]
    assert [counts(record) for record in records] == [(4, 4, 0, 0), (6, 4, 2, 0), (4, 4, 0, 0)]
    await undo(shop, records[0])
    assert counts(await shop.read(other)) == (6, 2, 4, 0)
    assert counts(await shop.read(apart)) == (0, 0, 0, 0)  # it is read on from where it was left
    assert counts(await shop.read(other)) == (0, 0, 0, 0)


async def test_a_rotated_log_stores_the_lines_that_it_shares_with_one_whose_import_was_undone(
    shop: Importer, tmp_path: Path
) -> None:
    log = tmp_path / "logs.txt"
    lines = some_lines(8).splitlines(keepends=True)
    write(log, b"".join(lines[:6]))
    first = await shop.read(log)
    write(log, b"".join(lines[3:]))
    assert counts(await shop.read(log)) == (5, 2, 3, 0)
    await undo(shop, first)
    assert counts(await shop.read(log)) == (5, 3, 2, 0)
