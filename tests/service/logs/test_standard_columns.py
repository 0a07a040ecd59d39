"""Common and combined lines in columns, compared with the grammar line by line, on any bytes."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunks import LogFile
from service.logs.combined_format import LineKeys, StandardLine, parse_standard_line
from service.logs.line_columns import LineColumns, stored_key
from service.logs.line_keys import ordinals_of
from service.logs.rejects import is_blank
from service.logs.shop_format import BadLine
from service.logs.standard_columns import StandardParser
from service.logs.url_rules import Rules, parse_rule
from tests.support.line_rows import LineRow, line_rows
from tests.support.log_lines import paths

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = (
    b'121.165.118.201 - anna [01/Aug/2018:02:01:35 +0200] "GET /fresh_fish/?page=2 HTTP/1.1" 200 2326 '
    b'"https://a.example/" "Mozilla/5.0"'
)
RULES = Rules((parse_rule("", {"kind": "product", "path": "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"}),))
RequestRow = tuple[LineRow, str, int, int | None, str | None, str | None]


def parse(log: bytes, *, rules: Rules | None = None, chunk_bytes: int = 1 << 20) -> list[LineColumns]:
    parser = StandardParser(rules)
    file = LogFile(io.BytesIO(log), accept_partial_line=True, chunk_bytes=chunk_bytes)
    return [parser.parse(chunk, log_format="combined", now=NOW) for chunk in file.chunks()]


def request_rows(columns: LineColumns) -> list[RequestRow]:
    assert columns.status is not None
    assert columns.body_bytes is not None
    assert columns.method is not None
    assert columns.referrer is not None
    assert columns.agent is not None
    rows = []
    for row, line in enumerate(line_rows(columns)):
        referrer, agent = int(columns.referrer[row]), int(columns.agent[row])
        body_bytes = int(columns.body_bytes[row])
        rows.append(
            (
                line,
                columns.methods[columns.method[row]],
                int(columns.status[row]),
                None if body_bytes < 0 else body_bytes,
                None if referrer < 0 else columns.referrers[referrer],
                None if agent < 0 else columns.agents[agent],
            )
        )
    return rows


def expected_row(position: int, key: int, line: StandardLine) -> RequestRow:
    page = line.page
    row = LineRow(
        position,
        line.instant,
        key,
        line.address,
        line.url,
        page.kind,
        page.category,
        page.product,
        page.cart_id,
        page.goods_id,
        page.amount,
        page.user_id,
    )
    return row, line.method, line.status, line.body_bytes, line.referrer, line.agent


def make_line(client: tuple[str, str], time: tuple[int, str], request: str, answer: tuple[str, ...]) -> bytes:
    (address, user), (second, zone) = client, time
    stamp = f"0{second % 3 + 1}/Aug/2018:{second:02}:01:{second:02} {zone}"
    return f'{address} - {user} [{stamp}] "{request}" {answer[0]} {answer[1]}{answer[2]}'.encode()


clients = st.tuples(
    st.sampled_from(("8.8.8.8", "2001:DB8::1", "::ffff:8.8.4.4")),
    st.sampled_from(("-", "-", "anna", "an na")),
)
moments = st.tuples(st.integers(0, 23), st.sampled_from(("+0000", "+0000", "-0530", "+1400")))
requests = st.tuples(
    st.sampled_from(("GET ", "GET ", "POST ", " ")),
    paths | st.sampled_from(("/shop/a/b/", "http://x.example/a", f"/{'long' * 100}/")),
    st.sampled_from((" HTTP/1.1", " HTTP/2.0", "", " ")),
).map("".join)
TAILS = (
    *("", ' "-" "-"', ' "https://a.example/" "curl/8" 0.1', ' "" "Mozilla \\"5\\""', ' "é" "x"', ' "x"'),
    f' "{"long" * 100}" "{"agent" * 100}"',
)
answers = st.tuples(
    st.sampled_from(("200", "304", "404")),
    st.sampled_from(("-", "0", "7", "1234567", "00012345678", "9" * 20)),
    st.sampled_from(TAILS),
)
good_lines = st.builds(make_line, clients, moments, requests, answers)
extras = st.binary(max_size=2) | st.sampled_from((b" ", b'"', b"\\", b"9", b"-", b"[", b"]", b"\r"))


@st.composite
def mutated_lines(draw: st.DrawFn) -> bytes:
    """Draw a line, of which some bytes are others, missing, or more."""
    raw = draw(good_lines | st.just(GOOD))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(raw)))
        more = draw(extras)
        raw = raw[:at] + more + raw[at + draw(st.integers(0, 2)) :]
    return raw


@given(
    st.lists(good_lines | mutated_lines() | st.binary(max_size=40), max_size=30),
    st.integers(1500, 8000),  # a chunk holds the longest line
    st.sampled_from((None, RULES)),
)
def test_each_line_is_what_the_grammar_says(
    lines: list[bytes], chunk_bytes: int, rules: Rules | None
) -> None:
    log = b"\n".join(lines)
    parts = parse(log, rules=rules, chunk_bytes=chunk_bytes)
    rows = {row[0].position: row for part in parts for row in request_rows(part)}
    rejects = {reject.line: (reject.offset, reject.reason) for part in parts for reject in part.rejects}
    assert sum(part.lines for part in parts) == sum(not is_blank(raw) for raw in log.split(b"\n"))
    assert not any(part.duplicates for part in parts)
    keys, offset = LineKeys(b"", 0), 0
    for position, raw in enumerate(log.split(b"\n"), start=1):
        if not is_blank(raw):
            line, reason = grammar_line(raw, rules)
            key = stored_key(keys.key(raw, offset))
            assert rows.pop(position, None) == (line and expected_row(position, key, line))
            assert rejects.pop(position, None) == (reason and (offset, reason))
        offset += len(raw) + 1
    assert not rows
    assert not rejects


def grammar_line(raw: bytes, rules: Rules | None) -> tuple[StandardLine | None, str | None]:
    """Return a line by the grammar, or why it is a reject."""
    try:
        return parse_standard_line(raw, rules, NOW), None
    except BadLine as error:
        return None, str(error)


def test_common_lines_do_not_need_the_grammar_each(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def parse_and_count(raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
        calls.append(raw)
        return parse_standard_line(raw, rules, now)

    monkeypatch.setattr("service.logs.standard_columns.parse_standard_line", parse_and_count)
    carts = [
        GOOD.replace(b"fresh_fish/?page=2", b"cart?goods_id=1&amount=2&cart_id=%d" % n) for n in range(1, 50)
    ]
    short = GOOD.replace(b' "https://a.example/" "Mozilla/5.0"', b"")
    missing = GOOD.replace(b" 200 2326 ", b" 404 - ")
    [part] = parse(b"\n".join([GOOD, *carts, short, missing, GOOD + b" 0.123", b"rubbish", b""]))
    assert (len(part), calls) == (53, [b"rubbish"])


@given(st.lists(st.integers(0, 3), max_size=30), st.integers(1, 400_000))
def test_equal_lines_are_numbered_by_how_many_stand_before(lines: list[int], gap: int) -> None:
    offsets = [7 + gap * at for at in range(len(lines))]
    expected = [
        sum(lines[j] == lines[i] and offsets[j] >= offsets[i] - 1024 * 1024 for j in range(i))
        for i in range(len(lines))
    ]
    digests = np.array(lines, np.uint64) * np.uint64(2**62)
    assert ordinals_of(digests, np.array(offsets, np.int64)).tolist() == expected


def test_keys_are_those_of_an_uninterrupted_reading_wherever_reading_begins() -> None:
    log = b"\n".join([GOOD, GOOD, GOOD.replace(b"anna", b"otto"), GOOD, GOOD + b"\r", b""])
    [whole] = parse(log)
    assert len(whole) == 5
    for chunk_bytes in (200, 300, 500):
        parts = parse(log, chunk_bytes=chunk_bytes)
        assert len(parts) > 1
        assert [key for part in parts for key in part.key.tolist()] == whole.key.tolist()
