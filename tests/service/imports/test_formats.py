"""The format of a log is kept with what has been read of it; equal lines are counted, wherever they stand."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from io import BytesIO
from pathlib import Path

import pytest

from service.background import Schedule
from service.errors import UnknownFormat
from service.imports.follow import LogFollower
from service.imports.jobs import is_mostly_rejected, list_imports, upload_log
from service.imports.record import ImportOptions
from service.logs.folder import LogFolder
from tests.support.eventually import eventually
from tests.support.log_imports import NOW, Importer, counts, some_lines, write

FIELDS = b"#Fields: date time cs-method cs-uri-stem c-ip sc-status\n"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "access.log"


def combined(second: int, path: str = "/caviar/", *, request: str | None = None) -> bytes:
    request = request or f"GET {path} HTTP/1.1"
    return (
        f"8.8.8.8 - - [01/Aug/2018:00:{second // 60:02}:{second % 60:02} +0000] "
        f'"{request}" 200 12 "-" "curl/8"\n'
    ).encode()


def w3c(second: int) -> bytes:
    return f"2018-08-01 00:00:{second:02} GET /caviar/ 8.8.8.8 200\n".encode()


def append(log: Path, text: bytes) -> None:
    with log.open("ab") as file:
        file.write(text)


def copy(log: Path) -> None:
    log.with_name("copy.log").write_bytes(log.read_bytes())


async def is_count(shop: Importer, table: str, count: int) -> bool:
    return await shop.rows(f"SELECT count(*) FROM {table}") == [(count,)]


async def test_a_log_of_no_format_fails_and_stores_nothing(shop: Importer, log: Path) -> None:
    write(log, b"rubbish\n" * 10_000 + combined(1))
    with pytest.raises(UnknownFormat):
        await shop.read(log, chunk_bytes=1000)
    [record] = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert (record.status, record.lines, record.format) == ("failed", 0, None)
    assert "shop, common, combined, vhost_combined, w3c, json" in str(record.error)
    for table in ("visit", "visit_part", "reject", "file_position", "page", "address"):
        assert await is_count(shop, table, 0)
    write(log, b"rubbish\n" * 9_999 + combined(1))
    assert counts(await shop.read(log, chunk_bytes=1000)) == (10_000, 1, 0, 9_999)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
async def test_an_upload_is_known_by_its_first_line_that_fits_or_by_what_is_declared(
    shop: Importer, tmp_path: Path, pack: Callable[[bytes], bytes]
) -> None:
    async def upload(content: bytes, log_format: str | None = None, *, dry_run: bool = False) -> object:
        async def pieces() -> AsyncIterator[bytes]:
            for byte in range(0, len(gzipped), 700):
                yield gzipped[byte : byte + 700]

        gzipped = pack(content)
        logs = LogFolder(file=tmp_path / "logs.txt", zone=UTC, chunk_bytes=1000)
        record = await upload_log(
            shop.db,
            shop.geo,
            logs,
            pieces(),
            name="x",
            dry_run=dry_run,
            gzipped=False,
            size=None,
            clock=lambda: NOW,
            log_format=log_format,
        )
        return record.status, record.format, *counts(record)

    content = b"talk\n" * 1000 + combined(1) * 3
    assert await upload(content, dry_run=True) == ("done", "combined", 1003, 3, 0, 1000)
    assert await upload(content) == ("done", "combined", 1003, 3, 0, 1000)
    assert await upload(content) == ("done", "combined", 1003, 0, 3, 1000)
    assert await upload(content, "shop") == ("failed", None, 0, 0, 0, 0)
    assert await upload(b"talk\n") == ("failed", None, 0, 0, 0, 0)
    assert await upload(b"") == ("done", None, 0, 0, 0, 0)
    own = b"1533081695.500 8.8.8.8 /caviar/\n"
    assert await upload(own, "$msec $remote_addr $request_uri") == ("done", "custom", 1, 1, 0, 0)


async def test_a_grown_log_is_read_by_the_fields_that_an_earlier_import_met(
    shop: Importer, log: Path
) -> None:
    write(log, FIELDS + w3c(1) + b"#Fields: c-ip date time cs-uri-stem\n8.8.8.8 2018-08-01 00:00:02 /a/\n")
    assert counts(await shop.read(log)) == (2, 2, 0, 0)
    append(log, b"8.8.8.8 2018-08-01 00:00:03 /a/\n" + FIELDS + w3c(4))
    assert counts(await shop.read(log, chunk_bytes=100)) == (2, 2, 0, 0)
    assert await shop.rows("SELECT format FROM file_position") == [
        ("w3c date time cs-method cs-uri-stem c-ip sc-status",)
    ]
    append(log, w3c(5) + combined(6))
    record = await shop.read(log)
    [reject] = await shop.rejects(record)
    assert reject.reason == "w3c: not a line of the w3c log format"


async def test_a_grown_log_goes_on_in_the_format_that_was_declared(shop: Importer, log: Path) -> None:
    declared = "$msec $remote_addr $request_uri"
    write(log, b"1533081695.500 8.8.8.8 /caviar/\n")
    assert counts(await shop.read(log, log_format=declared)) == (1, 1, 0, 0)
    append(log, b"1533081696.500 8.8.8.8 /caviar/\n")
    record = await shop.read(log)
    assert (record.format, counts(record)) == ("custom", (1, 1, 0, 0))
    assert await shop.rows("SELECT format FROM file_position") == [(declared,)]


async def test_a_followed_log_waits_for_a_line_that_fits_and_goes_on_in_its_format(
    shop: Importer, log: Path
) -> None:
    """It waits for visits, and then for one more."""
    options = ImportOptions(UTC, mode="follow")
    schedule = Schedule(every=0.05, retry=0.05)
    follower = LogFollower(shop.db, shop.geo, options, lambda: NOW, look_seconds=0.02, schedule=schedule)
    write(log, b"/docker-entrypoint.sh: starting\n")
    task = asyncio.create_task(follower.follow(log))
    try:
        await asyncio.sleep(0.1)  # some looks, which decide nothing
        for second in range(3):
            append(log, (FIELDS if second == 0 else b"") + w3c(second) * 2)
            await eventually(lambda: is_count(shop, "visit", 2 * (second + 1)))  # noqa: B023 - awaited at once
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    records = await list_imports(shop.db, after=None, limit=10, offset=0)
    assert [(record.status, *counts(record)) for record in records] == [("done", 7, 6, 0, 1)]
    record = await shop.read(log)
    assert counts(record) == (0, 0, 0, 0)
    copy(log)
    assert counts(await shop.read(log.with_name("copy.log"))) == (7, 0, 6, 1)


@pytest.mark.parametrize("chunk_bytes", [150, 1000, 1 << 20])
async def test_equal_lines_of_a_second_are_all_counted_wherever_they_stand(
    shop: Importer, log: Path, chunk_bytes: int
) -> None:
    lines = [combined(second) for second in (1, 2, 1, 3, 1, 1, 2, 4, 1)]
    write(log, b"".join(lines))
    assert counts(await shop.read(log, chunk_bytes=chunk_bytes)) == (9, 9, 0, 0)
    assert counts(await shop.read(log)) == (0, 0, 0, 0)
    gzipped = log.with_name("packed.log.gz")
    write(gzipped, gzip.compress(b"".join(lines[:5])) + gzip.compress(b"".join(lines[5:])))
    assert counts(await shop.read(gzipped, chunk_bytes=chunk_bytes)) == (9, 0, 9, 0)
    append(log, combined(1) + combined(2))
    assert counts(await shop.read(log)) == (2, 2, 0, 0)
    await shop.check_rollups()


@pytest.mark.slow
async def test_equal_lines_are_counted_with_megabytes_between_them_and_when_a_log_has_grown(
    shop: Importer, log: Path
) -> None:
    more = [combined(5 + second % 2, f"/{'x' * 1500}{second % 3}") for second in range(1200)]
    content = combined(1) + b"".join(more) + combined(1)
    assert len(content) > 1_500_000
    write(log, content)
    assert counts(await shop.read(log)) == (1202, 1202, 0, 0)
    write(log, content + combined(1) + more[0])
    assert counts(await shop.read(log, chunk_bytes=100_000)) == (2, 2, 0, 0)
    copy(log)
    assert counts(await shop.read(log.with_name("copy.log"), chunk_bytes=10_000)) == (1204, 0, 1204, 0)


async def test_requests_that_name_no_url_do_not_count_among_the_rejected_half(
    shop: Importer, log: Path
) -> None:
    odd = ("PRI * HTTP/2.0", "OPTIONS * HTTP/1.1", "CONNECT a.b:443 HTTP/1.1", "<BADREQ>", "-", "\\x16\\x03")
    lines = b"".join(combined(second, request=request) for second, request in enumerate(odd))
    write(log, lines + combined(30) + combined(31))
    record = await shop.read(log)
    assert counts(record) == (8, 2, 0, 6)
    reasons = {reject.reason for reject in await shop.rejects(record)}
    assert reasons == {"combined: the request names no URL that can be read"}
    assert not await is_mostly_rejected(shop.db, record)
    write(log.with_name("b.log"), lines + combined(40) + b"bad\nworse\n")
    assert await is_mostly_rejected(shop.db, await shop.read(log.with_name("b.log")))


async def test_the_shops_log_behind_nuls_and_a_byte_order_mark_is_read(shop: Importer, log: Path) -> None:
    for number, before in enumerate((b"\0" * 70_000, b"\xef\xbb\xbf", b"\n\0\0")):
        content = BytesIO(some_lines(3, start=3 * number)).readlines()
        path = log.with_name(f"{number}.log")
        write(path, before + content[0] + b"\0" * 100_000 + content[1] + content[2])
        assert counts(await shop.read(path, chunk_bytes=70_000)) == (3, 3, 0, 0)
        assert counts(await shop.read(path)) == (0, 0, 0, 0)
