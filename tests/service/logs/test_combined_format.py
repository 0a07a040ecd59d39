"""Logs in the common and combined formats, whose request keys are digests of their lines."""

from contextlib import suppress
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from service.logs.chunks import LogFile
from service.logs.combined_format import COMBINED
from service.logs.format_options import FormatOptions
from service.logs.log_parser import LogParser
from service.logs.shop_format import MAX_LINE_BYTES, BadLine, Page
from tests.support.log_imports import NOW, Importer, counts, write

GOOD = (
    b'121.165.118.201 - anna [01/Aug/2018:02:01:35 +0200] "GET /fresh_fish/?page=2 HTTP/1.1" 200 2326 '
    b'"https://a.example/" "Mozilla \\"5.0\\""'
)


def line(at: int, path: str, *, address: str = "8.8.8.8", status: int = 200, tail: str = "") -> bytes:
    time = f"01/Aug/2018:{at // 3600:02}:{at // 60 % 60:02}:{at % 60:02} +0000"
    return f'{address} - - [{time}] "GET {path} HTTP/1.1" {status} 12{tail}\n'.encode()


def test_a_line_is_read_field_by_field() -> None:
    read = COMBINED.parse(GOOD, None, NOW)
    assert read.instant == datetime(2018, 8, 1, 0, 1, 35, tzinfo=UTC)
    assert (read.address, read.url) == ("121.165.118.201", "/fresh_fish/?page=2")
    assert read.page == Page("category", "fresh_fish")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b"121.165.118.201", b"shop.example", "a host name stands where the address should be"),
        (b"121.165.118.201", b"1.2.3", "not an IPv4 or IPv6 address"),
        (b"01/Aug", b"31/Feb", "no such date"),
        (b"01/Aug", b"01/Ago", "no such date"),
        (b"+0200", b"+2400", "no such date"),
        (b"2018", b"1969", "before 1970"),
        (b"2018", b"2030", "a day ahead"),
        (b"GET /fresh_fish/?page=2 HTTP/1.1", b"-", "names no URL"),
        (b"GET /fresh_fish/?page=2 HTTP/1.1", b"OPTIONS * HTTP/1.0", "names no URL"),
        (b"GET /fresh_fish/?page=2 HTTP/1.1", b"\\x16\\x03\\x01", "names no URL"),
        (b"/fresh_fish/", b"/cart", "goods_id is missing"),
        (b"/fresh_fish/", b"/" + b"x" * 2048, "URL is longer"),
        (b"/fresh_fish/", b"/\xff", "not UTF-8"),
        (b" 200 ", b" OK ", "not a line of the combined"),
        (b"anna", b"x" * MAX_LINE_BYTES, "line is longer"),
    ],
)
def test_a_line_that_does_not_match_says_why(old: bytes, new: bytes, reason: str) -> None:
    assert old in GOOD
    with pytest.raises(BadLine, match=reason):
        COMBINED.parse(GOOD.replace(old, new), None, NOW)


@given(st.one_of(st.binary(), st.binary(max_size=20).map(lambda noise: GOOD.replace(b"fresh_fish", noise))))
def test_no_bytes_raise_anything_but_bad_line(raw: bytes) -> None:
    with suppress(BadLine):
        assert COMBINED.parse(raw, None, NOW).instant <= NOW


def test_an_answer_that_is_an_error_is_no_page_of_the_shop() -> None:
    assert COMBINED.parse(line(0, "/success_pay_3/", status=404)[:-1], None, NOW).page == Page("other")


@pytest.mark.parametrize("status", ["-", "0", "000"])
def test_a_request_whose_client_went_away_has_no_status_and_is_no_page(status: str) -> None:
    read = COMBINED.parse(GOOD.replace(b" 200 ", f" {status} ".encode()), None, NOW)
    assert (read.page, read.status) == (Page("other"), None)


paths = st.sampled_from(
    ("/", "/caviar/", "/caviar/red/", "/cart?goods_id=1&amount=1&cart_id=1", "/cart", "/a b")
)
lines = st.builds(line, st.integers(0, 3), paths)


@given(st.lists(lines, max_size=30), st.integers(1, 400), st.integers(0, 30))
def test_keys_do_not_depend_on_where_reading_begins(log_lines: list[bytes], size: int, cut: int) -> None:
    log = b"".join(log_lines)
    whole = keys_of(LogFile(BytesIO(log)))
    assert len(set(whole)) == len(whole)  # equal lines are different requests
    assert keys_of(LogFile(BytesIO(log), chunk_bytes=100 + size)) == whole
    beginning = LogFile(BytesIO(b"".join(log_lines[:cut])))
    first = keys_of(beginning)
    grown = LogFile(BytesIO(log))
    assert grown.skip_to(beginning.position)
    assert first + keys_of(grown) == whole


def keys_of(file: LogFile) -> list[tuple[object, ...]]:
    """Keys and times in the order of the lines."""
    rows = list[tuple[object, ...]]()
    parser = file.parser or LogParser(FormatOptions(UTC, declared="common"))
    for chunk in file.chunks():
        columns = parser.parse(chunk, now=NOW)
        assert columns is not None
        rows += sorted(zip(columns.position.tolist(), columns.key, columns.occurred, strict=True))
    return [row[1:] for row in rows]


async def test_a_common_log_is_imported_once(committed_db: Database, geo: Geo, tmp_path: Path) -> None:
    shop, log = Importer(committed_db, geo), tmp_path / "access.log"
    text = line(0, "/caviar/red/") * 3 + line(1, "/cart?goods_id=1&amount=2&cart_id=3") + b"bad\n"
    write(log, text)
    record = await shop.read(log)
    assert (record.format, counts(record)) == ("common", (5, 4, 0, 1))
    write(log, text + line(1, "/cart?goods_id=1&amount=2&cart_id=3") + line(2, "/success_pay_3/"))
    assert counts(await shop.read(log)) == (2, 2, 0, 0)
    write(tmp_path / "copy.log", log.read_bytes())
    assert counts(await shop.read(tmp_path / "copy.log")) == (7, 0, 6, 1)
    assert await shop.rows("SELECT amount FROM cart_item") == [(4,)]
    assert await shop.rows("SELECT count(*) FROM payment") == [(1,)]
    await shop.check_rollups()
