"""The parser in columns, compared with the naive oracle, and line by line with the grammar, on any bytes."""

import io
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunks import LogFile, without_marks
from service.logs.line_columns import NUMBERS, LineColumns, shop_key
from service.logs.rejects import is_blank
from service.logs.shop_columns import ShopParser
from service.logs.shop_format import MAX_LINE_BYTES, BadLine, LogLine, parse_line, to_utc
from tests.support.line_rows import LineRow, line_rows
from tests.support.log_lines import good_lines, line, logs
from tests.support.oracle_log import Visit, read_log

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")
GOOD = line("2018-08-01 00:01:35", "YQ3J8G5A", "121.165.118.201", "/fresh_fish/").encode()
CART = line("2018-08-01 00:01:35", "YQ3J8G5A", "8.8.8.8", "/cart?goods_id=1&amount=2&cart_id=3").encode()


def parse(log: bytes, *, zone: tzinfo = UTC, chunk_bytes: int = 1 << 20) -> list[LineColumns]:
    parser = ShopParser(zone)
    file = LogFile(io.BytesIO(log), accept_partial_line=True, chunk_bytes=chunk_bytes)
    return [parser.parse(chunk, now=NOW) for chunk in file.chunks()]


@given(logs(broken=4), st.sampled_from(ZONES))
def test_it_parses_what_the_oracle_parses(log: bytes, zone: str) -> None:
    log = log.removesuffix(b"\n") + b"\n"  # whole, it is one chunk
    expected = read_log(io.BytesIO(log).readlines(), tz=zone, now=NOW)
    parts = parse(log, zone=ZoneInfo(zone))
    rows = [row for part in parts for row in line_rows(part)]
    visits = sorted(expected.visits, key=lambda visit: (visit.time, visit.line))
    assert rows == [oracle_row(visit) for visit in visits]
    rejects = [(reject.line, reject.offset) for part in parts for reject in part.rejects]
    assert rejects == [(reject.line, reject.offset) for reject in expected.rejects]
    assert sum(part.duplicates for part in parts) == expected.duplicates
    assert sum(part.lines for part in parts) == len(visits) + len(rejects) + expected.duplicates


def oracle_row(visit: Visit) -> LineRow:
    """A cart line has no category of its own; the oracle infers it."""
    category, product = (
        (visit.category, visit.product) if visit.kind in {"category", "product"} else (None, None)
    )
    numbers = [getattr(visit, name) for name in NUMBERS]
    key = shop_key(visit.key)
    head = (visit.line, visit.time, key, visit.address, visit.url, visit.kind, category, product)
    return LineRow(*head, *numbers)


@st.composite
def mutated_lines(draw: st.DrawFn) -> bytes:
    """Draw a good line, of which some bytes are others, missing, or more."""
    raw = draw(good_lines | st.sampled_from((GOOD, CART)))
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(raw)))
        more = draw(
            st.binary(max_size=2) | st.sampled_from((b" ", b"0", b"9", b"/", b":", b"\r", b"\x1b[0m"))
        )
        raw = raw[:at] + more + raw[at + draw(st.integers(0, 2)) :]
    return raw


containers = st.sampled_from(
    (b"shop_api      | ", b"", b"shop_api-1  | ", b"a| ", b"\x1b[36mshop-1 |\x1b[0m ")
)
log_lines = st.lists(mutated_lines() | good_lines | st.binary(max_size=60), max_size=40)


@given(
    log_lines, st.lists(containers, min_size=1, max_size=3), st.sampled_from(ZONES), st.integers(300, 5000)
)
def test_each_line_is_what_the_grammar_says(
    lines: list[bytes], prefixes: list[bytes], zone: str, chunk_bytes: int
) -> None:
    usual = b"shop_api      | "
    log = b"\n".join(raw.replace(usual, prefixes[at % len(prefixes)]) for at, raw in enumerate(lines))
    parts = parse(log, zone=ZoneInfo(zone), chunk_bytes=chunk_bytes)
    rows = sorted(row for part in parts for row in line_rows(part))
    rejects = {reject.line: reject.reason for part in parts for reject in part.rejects}
    count = sum(part.duplicates for part in parts) + len(rejects) + len(rows)
    raw_lines = log.split(b"\n")
    assert count == sum(not is_blank(raw) for raw in raw_lines)
    for number, raw in enumerate(raw_lines, start=1):
        expected, reason = grammar_row(number, without_marks(raw), ZoneInfo(zone))
        assert reason is None or is_blank(raw) or rejects.pop(number) == f"shop: {reason}"
        if rows and rows[0].position == number:
            assert rows.pop(0) == expected
    assert not rows
    assert not rejects


def grammar_row(number: int, raw: bytes, zone: tzinfo) -> tuple[LineRow | None, str | None]:
    """Return the row of a line by the grammar, or why it is a reject."""
    try:
        parsed = parse_line(raw)
        occurred_at = to_utc(parsed.local_time, zone, NOW)
    except BadLine as error:
        return None, str(error)
    page = parsed.page
    numbers = (getattr(page, name) for name in NUMBERS)
    head = (number, occurred_at, shop_key(parsed.key), parsed.address, parsed.url)
    return LineRow(*head, page.kind, page.category, page.product, *numbers), None


def test_common_lines_do_not_need_the_grammar_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is slow on every line would go unseen otherwise: the results are equal."""
    calls = []

    def parse_and_count(raw: bytes) -> LogLine:
        calls.append(raw)
        return parse_line(raw)

    monkeypatch.setattr("service.logs.shop_columns.parse_line", parse_and_count)
    carts = [CART.replace(b"cart_id=3", b"cart_id=%d" % number) for number in range(1, 100)]
    for container in (b"shop_api      | ", b"", b"other_api-1  | "):
        log = b"\n".join([GOOD, *carts, GOOD.replace(b"121.165.118.201", b"2001:db8::1"), b"rubbish", b""])
        [part] = parse(log.replace(b"shop_api      | ", container))
        assert (len(part), part.duplicates, part.rejects[0].line) == (1, 100, 102)
    assert calls == [b"rubbish"] * 3


def test_a_chunk_whose_names_are_forgotten_is_parsed_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [line(f"2018-08-01 00:00:{at:02}", "AAAAAAAA", f"8.8.8.{at}", f"/a/{at % 7}") for at in range(60)]
    log = "\n".join(lines).encode()
    expected = [row for part in parse(log) for row in line_rows(part)]
    assert len(expected) == 60
    monkeypatch.setattr("service.logs.name_table.MAX_BYTES", 1000)
    assert [row for part in parse(log, chunk_bytes=500) for row in line_rows(part)] == expected


@pytest.mark.parametrize("begin", [b"\x1f\x8b", b"x\x9c", b"x\x01", b"(\xb5/\xfd"])
def test_a_line_that_begins_as_compressed_data_do_is_a_reject_like_any_other(begin: bytes) -> None:
    [part] = parse(begin + b"\n" + GOOD + b"\n")
    assert [reject.line for reject in part.rejects] == [1]
    assert part.position.tolist() == [2]


def test_a_reject_has_its_first_200_characters_as_postgresql_can_store_them() -> None:
    [part] = parse("ü".encode() * 300 + b"\nnul\0\xff\n")
    texts = ["ü" * 200, "nul\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"]
    assert [reject.text for reject in part.rejects] == texts
    assert ["does not begin" in reject.reason for reject in part.rejects] == [True, False]
    assert part.rejects[1].reason == "shop: not UTF-8"
    assert [reject.offset for reject in part.rejects] == [0, 601]


@pytest.mark.parametrize("extra", [0, 1])
def test_a_line_of_64_kib_is_read_and_a_longer_one_rejected(extra: int) -> None:
    padded = GOOD.replace(b"| ", b" " * (MAX_LINE_BYTES + extra - len(GOOD)) + b"| ")
    assert len(padded) == MAX_LINE_BYTES + extra
    [part] = parse(padded + b"\n")
    assert len(part) == 1 - extra
    assert ["longer than 65536" in reject.reason for reject in part.rejects] == [True] * extra


def test_a_local_time_that_a_clock_skips_is_a_reject_and_a_repeated_one_its_first_pass() -> None:
    times = ("2018-03-25 02:30:00", "2018-10-28 02:30:00")
    log = "".join(line(time, "AAAAAAAA", "8.8.8.8", "/") + "\n" for time in times).encode()
    [part] = parse(log, zone=ZoneInfo("Europe/Berlin"))
    assert [row.occurred_at for row in line_rows(part)] == [datetime(2018, 10, 28, 0, 30, tzinfo=UTC)]
    [reject] = part.rejects
    assert reject.reason == "shop: 2018-03-25 02:30:00 is a time that the clock of Europe/Berlin skips"
