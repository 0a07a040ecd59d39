"""Imports of files that grow, change, break off and are read by several at once."""

import asyncio
import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from db.models import Import
from service.errors import Conflict
from service.imports.jobs import find_running_import, list_imports
from service.imports.record import ImportOptions
from service.logs.pieces import GZIP_MAGIC, BrokenGzip
from service.logs.source import LogSource
from tests.support.log_imports import Importer, counts, some_lines, write
from tests.support.log_lines import line

SMALL = 1000  # bytes a chunk: about ten lines


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "logs.txt"


async def test_a_grown_file_is_read_from_where_it_was_left(shop: Importer, log: Path, tmp_path: Path) -> None:
    text = some_lines(40)
    middle = text.index(b"\n", len(text) // 2) + 1
    before = text[:middle].count(b"\n")
    write(log, b"\n" + text[:middle])
    first = await shop.read(log, chunk_bytes=SMALL)
    assert counts(first) == (before, before, 0, 0)
    assert (first.bytes, first.bytes_total, first.status) == (middle + 1, middle + 1, "done")
    write(log, b"\n" + text[:middle] + b"broken\n" + text[middle:])
    second = await shop.read(log, chunk_bytes=SMALL)
    assert counts(second) == (40 - before + 1, 40 - before, 0, 1)
    [reject] = await shop.rejects(second)
    assert (reject.line, reject.offset, reject.text) == (before + 2, middle + 1, "broken")
    assert await shop.rejects(first) == []
    assert counts(await shop.read(log)) == (0, 0, 0, 0)
    grown = await shop.rows("SELECT occurred_at, position FROM visit ORDER BY occurred_at")
    start = datetime(2018, 8, 1, tzinfo=UTC)
    assert grown == [(start + timedelta(seconds=at), at + 2 + (at >= before)) for at in range(40)]


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "rotated": lambda _: some_lines(10, start=30),
    "rewritten": lambda text: some_lines(1, start=99) + text,
    "truncated": lambda text: text[: text.index(b"\n") + 1],
    "truncated and grown": lambda text: text[: text.index(b"\n") + 1] + some_lines(40, start=50),
    "one byte changed": lambda text: text.replace(b"[00000003]", b"[X0000003]") + some_lines(3, start=70),
    "replaced": lambda _: some_lines(90, start=100),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_changed_file_is_read_anew_and_its_old_lines_are_duplicates(
    shop: Importer, log: Path, change: str
) -> None:
    old = some_lines(30)
    new = CHANGES[change](old)
    write(log, old)
    await shop.read(log)
    write(log, new)
    duplicates = len(set(new.splitlines()) & set(old.splitlines()))
    lines = new.count(b"\n")
    assert counts(await shop.read(log, chunk_bytes=SMALL)) == (lines, lines - duplicates, duplicates, 0)
    assert await shop.rows("SELECT count(*) FROM visit") == [(30 + lines - duplicates,)]
    await shop.check_rollups()
    write(log, new + some_lines(5, start=1000))
    assert counts(await shop.read(log)) == (5, 5, 0, 0)


async def test_the_same_lines_under_another_name_are_duplicates(
    shop: Importer, log: Path, tmp_path: Path
) -> None:
    text = some_lines(60)
    write(log, text)
    await shop.read(log)
    before = await shop.derived()
    write(tmp_path / "copy.txt", text[: len(text) // 2] + b"\nbad\n" + text)
    write(tmp_path / "copy.txt.gz", gzip.compress(text))
    copied = await shop.read(tmp_path / "copy.txt", chunk_bytes=SMALL)
    halves = text[: len(text) // 2].count(b"\n") + 1
    assert copied.imported == 0
    assert copied.rejected >= 1
    assert copied.lines == 60 + halves + 1
    assert counts(await shop.read(tmp_path / "copy.txt.gz")) == (60, 0, 60, 0)
    assert await shop.derived() == before


async def test_a_last_line_without_its_newline_waits_until_it_is_whole(shop: Importer, log: Path) -> None:
    text = some_lines(3)
    write(log, text[:-20])
    assert counts(await shop.read(log)) == (2, 2, 0, 0)
    assert counts(await shop.read(log)) == (0, 0, 0, 0)
    write(log, text)
    assert counts(await shop.read(log)) == (1, 1, 0, 0)
    assert await shop.rows("SELECT position FROM visit ORDER BY occurred_at") == [(1,), (2,), (3,)]


async def test_a_last_line_that_was_taken_is_a_duplicate_when_it_is_read_whole(
    shop: Importer, log: Path
) -> None:
    text = some_lines(3)
    write(log, text[:-1])
    assert counts(await shop.read(log, accept_partial_line=True)) == (3, 3, 0, 0)
    write(log, text + some_lines(1, start=3))
    assert counts(await shop.read(log)) == (2, 1, 1, 0)
    assert await shop.rows("SELECT count(*) FROM visit") == [(4,)]
    await shop.check_rollups()


async def test_a_gzip_file_is_gunzipped(shop: Importer, tmp_path: Path) -> None:
    path = tmp_path / "logs.txt.gz"
    gzipped = gzip.compress(some_lines(30)) + gzip.compress(b"bad\n" + some_lines(5, start=30))
    write(path, gzipped)
    record = await shop.read(path, chunk_bytes=SMALL)
    assert counts(record) == (36, 35, 0, 1)
    assert (record.bytes, record.bytes_total, record.status) == (len(gzipped), len(gzipped), "done")
    assert [(reject.line, reject.text) for reject in await shop.rejects(record)] == [(31, "bad")]


BREAKS: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda data: data[: len(data) * 3 // 4],
    "damaged": lambda data: data[: len(data) // 2] + b"\xff" * 50 + data[len(data) // 2 + 50 :],
    "with a wrong checksum": lambda data: data[:-8] + b"\0" * 8,
    "nothing but its first bytes": lambda _data: GZIP_MAGIC + b"and no header",
}
NOTHING_READ = {"with a wrong checksum", "nothing but its first bytes"}


@pytest.mark.parametrize("broken", BREAKS)
async def test_broken_gzip_fails_with_its_cause_and_keeps_what_it_stored(
    shop: Importer, tmp_path: Path, broken: str
) -> None:
    path = tmp_path / "logs.txt.gz"
    gzipped = gzip.compress(some_lines(6000))
    write(path, BREAKS[broken](gzipped))
    with pytest.raises(BrokenGzip):
        await shop.read(path, chunk_bytes=50_000)
    [failed] = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert failed.status == "failed"
    assert "gzip" in str(failed.error)
    assert failed.finished_at is not None
    assert (0 < failed.imported < 6000) == (broken not in NOTHING_READ)
    assert await shop.rows("SELECT count(*) FROM visit") == [(failed.imported,)]
    write(path, gzipped)
    record = await shop.read(path)  # from where it broke, unless what stood before that has changed
    assert record.imported == 6000 - failed.imported
    assert (record.rejected, record.lines) == (0, record.imported + record.duplicates)
    await shop.check_rollups()
    assert counts(await shop.read(path)) == (0, 0, 0, 0)


async def test_what_is_no_gzip_at_all_says_so(shop: Importer, tmp_path: Path) -> None:
    path = tmp_path / "logs.txt.gz"
    write(path, some_lines(3))
    with pytest.raises(BrokenGzip, match="gzip"):
        await shop.read(path)
    [failed] = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert (failed.status, counts(failed)) == ("failed", (0, 0, 0, 0))
    assert "gzip" in str(failed.error)


async def test_a_dry_run_counts_and_changes_nothing(shop: Importer, log: Path) -> None:
    write(log, some_lines(20))
    await shop.read(log)
    before = await shop.derived()
    # New lines twice, far enough apart to be in two chunks, between lines that are known already.
    write(log, some_lines(50) + b"bad\n" + some_lines(50))
    trial = await shop.read(log, dry_run=True, chunk_bytes=SMALL)
    assert trial.dry_run
    assert counts(trial) == (81, 30, 50, 1)
    assert [reject.line for reject in await shop.rejects(trial)] == [51]
    assert await shop.derived() == before
    assert counts(await shop.read(log, dry_run=True)) == counts(trial)
    record = await shop.read(log, chunk_bytes=SMALL)
    assert not record.dry_run
    assert counts(record) == counts(trial)


async def test_a_log_with_broken_lines_gives_all_good_ones_and_names_each_broken_one(
    shop: Importer, log: Path
) -> None:
    lines = some_lines(1000).splitlines(keepends=True)
    broken = dict.fromkeys(range(25, 1000, 50), line("2018-02-30 00:00:00", "AAAAAAAA", "8.8.8.8", "/"))
    for at, text in broken.items():
        lines[at] = text.encode() + b"\n"
    write(log, b"".join(lines))
    record = await shop.read(log, chunk_bytes=10 * SMALL)
    assert counts(record) == (1000, 980, 0, 20)
    rejects = await shop.rejects(record)
    assert [(reject.line, reject.offset, reject.reason, reject.text) for reject in rejects] == [
        (at + 1, len(b"".join(lines[:at])), "shop: no such date or time", text) for at, text in broken.items()
    ]


async def test_one_at_a_time_for_a_file(shop: Importer, log: Path) -> None:
    write(log, some_lines(100))
    results = await asyncio.gather(
        *(shop.read(log, chunk_bytes=SMALL) for _ in range(4)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, Conflict)]
    [record] = [result for result in results if isinstance(result, Import)]
    assert [error.code for error in refused] == ["import_running"] * 3
    assert counts(record) == (100, 100, 0, 0)
    assert len(await list_imports(shop.db, after=None, limit=10, offset=0)) == 1
    await shop.check_rollups()


OWN = "$remote_addr $time_local $request"
OWN_URL = "$remote_addr $time_local GET $request_uri HTTP/1.1"
OWN_LINES = b"".join(
    b"203.0.113.9 01/Aug/2018:00:%02d:%02d +0000 GET /a/ HTTP/1.1\n" % divmod(n, 60) for n in range(400)
)


@pytest.mark.slow
@pytest.mark.parametrize("formats", [(None, OWN), (OWN, None), (OWN, OWN_URL), ("shop", OWN)])
async def test_one_at_a_time_for_a_file_in_whatever_format(
    shop: Importer, log: Path, formats: tuple[str | None, str | None]
) -> None:
    """Its first line that fits is another one by another format: here the first, or the one in the middle."""
    write(log, OWN_LINES + some_lines(40) + OWN_LINES)
    first, second = formats
    begun = asyncio.Event()
    task = asyncio.create_task(
        shop.read(log, log_format=first, chunk_bytes=SMALL, on_progress=lambda _: begun.set())
    )
    await begun.wait()
    with pytest.raises(Conflict, match="is being imported"):
        await shop.read(log, log_format=second)
    options = ImportOptions(UTC, log_format=second)
    running = await find_running_import(shop.db, LogSource.of_file(log), options)
    record = await task
    assert running is not None
    assert running.id == record.id
    assert await find_running_import(shop.db, LogSource.of_file(log), options) is None
    assert (await shop.read(log, log_format=second)).status == "done"


@pytest.mark.slow
async def test_two_files_with_the_same_lines_at_once_store_each_line_once(
    shop: Importer, tmp_path: Path
) -> None:
    text = some_lines(100)
    paths = [tmp_path / name for name in ("a.txt", "b.txt")]
    for path in paths:
        write(path, text)
    records = await asyncio.gather(*(shop.read(path, chunk_bytes=SMALL) for path in paths))
    assert sum(record.imported for record in records) == 100
    assert [record.lines for record in records] == [100] * 2
    assert [record.imported + record.duplicates for record in records] == [100] * 2
    derived = await shop.derived()
    assert derived == await shop.derived_at_once(paths[0])
