"""Lines of all formats but the shop's in columns, compared with their grammar one by one, on any bytes."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunk_text import ChunkText
from service.logs.chunks import Chunk, LogFile, Position, without_marks
from service.logs.detect import restore_format
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.line_keys import DigestKeys, RunLimits, ordinals_of
from service.logs.line_layout import Layout
from service.logs.rejects import is_blank
from service.logs.shop_format import BadLine
from service.logs.standard_columns import StandardFormat, StandardParser
from service.logs.standard_line import StandardLine
from service.logs.url_rules import Rules, parse_rule
from service.logs.w3c_format import W3cFormat, fields_of
from tests.support.line_keys import LineKeys
from tests.support.line_rows import LineRow, line_rows
from tests.support.log_lines import paths

NOW = datetime(2026, 1, 1, tzinfo=UTC)
GOOD = (
    b'121.165.118.201 - anna [01/Aug/2018:02:01:35 +0200] "GET /fresh_fish/?page=2 HTTP/1.1" 200 2326 '
    b'"https://a.example/" "Mozilla/5.0"'
)
RULES = Rules((parse_rule("", {"kind": "product", "path": "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"}),))
RequestRow = tuple[LineRow, str | None, int | None, int | None, str | None, str | None]
OPTIONS = FormatOptions(UTC)


def make_format(state: str) -> StandardFormat:
    log_format = restore_format(state, OPTIONS)
    assert log_format is not None
    return log_format


def parse(
    log: bytes, *, state: str = "combined", rules: Rules | None = None, chunk_bytes: int = 1 << 20
) -> list[LineColumns]:
    parser = StandardParser(make_format(state), rules)
    file = LogFile(io.BytesIO(log), accept_partial_line=True, chunk_bytes=chunk_bytes)
    return [parser.parse(chunk, now=NOW) for chunk in file.chunks()]


def request_rows(columns: LineColumns) -> list[RequestRow]:
    assert columns.status is not None
    assert columns.body_bytes is not None
    assert columns.method is not None
    assert columns.referrer is not None
    assert columns.agent is not None
    rows = []
    for row, line in enumerate(line_rows(columns)):
        method, status = int(columns.method[row]), int(columns.status[row])
        referrer, agent = int(columns.referrer[row]), int(columns.agent[row])
        body_bytes = int(columns.body_bytes[row])
        rows.append(
            (
                line,
                None if method < 0 else columns.methods[method],
                None if status < 0 else status,
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


class Fields(NamedTuple):
    """What a line is made of."""

    address: str
    user: str
    second: int
    zone: str
    method: str
    url: str
    protocol: str
    status: str
    size: str
    referrer: str
    agent: str
    more: str


fields = st.builds(
    Fields,
    address=st.sampled_from(
        ("8.8.8.8", "2001:DB8::1", "::ffff:8.8.4.4", "10.0.0.1, 8.8.8.8", "8.8.8.8:80", "[2001:db8::1]:443")
    ),
    user=st.sampled_from(("-", "-", "anna", "an na", "a [b] c", "x] \\x22y", "a [01/Aug/")),
    second=st.integers(0, 23),
    zone=st.sampled_from(("+0000", "+0000", "-0530", "+1400")),
    method=st.sampled_from(("GET", "GET", "GET", "POST", "HEAD", "")),
    url=paths | st.sampled_from(("/shop/a/b/", "http://x.example/a", f"/{'long' * 100}/", "*", "/\\xD1%d1")),
    protocol=st.sampled_from((" HTTP/1.1", " HTTP/1.1", " HTTP/2.0", "", " ")),
    status=st.sampled_from(("200", "200", "304", "404", "-")),
    size=st.sampled_from(("-", "0", "7", "1234567", "00012345678", "9" * 20)),
    referrer=st.sampled_from(("-", "https://a.example/", "é", "long" * 100, "")),
    agent=st.sampled_from(("-", "curl/8", 'Mozilla \\"5\\"', "", "agent" * 100, "a\\")),
    more=st.sampled_from(("", "", " 0.1", ' "-" rt=0.1', "8.8.8.8", f" {GOOD.decode()}")),
)


def combined(parts: Fields, more: int = 0) -> str:
    stamp = f"0{parts.second % 3 + 1}/Aug/2018:{parts.second:02}:01:{parts.second:02} {parts.zone}"
    request = f"{parts.method} {parts.url}{parts.protocol}"
    line = f'{parts.address} - {parts.user} [{stamp}] "{request}" {parts.status} {parts.size}'
    return line + (f' "{parts.referrer}" "{parts.agent}"{parts.more}' if (parts.second + more) % 3 else "")


def custom(parts: Fields) -> str:
    request = f"{parts.method} {parts.url}{parts.protocol}"
    servers = "10.0.0.1:80" if parts.second % 2 else "10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80"
    return (
        f"{1533000000 + parts.second}.{parts.second:03}|{parts.address}|{parts.user} x|{request}|"
        f"{parts.status} {parts.size} <{parts.agent}> {servers} {parts.more}"
    )


def iso(parts: Fields) -> str:
    time = f"2018-08-0{parts.second % 3 + 1}T{parts.second:02}:01:35{parts.zone[:3]}:{parts.zone[3:]}"
    return (
        f'[{time}] {parts.method} {parts.url} "{parts.address}" "{parts.agent}" s={parts.status} '
        f'"{parts.user}"{parts.more}'
    )


def w3c(parts: Fields) -> str:
    path, _, query = parts.url.partition("?")
    day = f"2018-08-0{parts.second % 3 + 1}"
    line = f"{day} {parts.second:02}:01:35 {parts.method or '-'} {path} {query or '-'} {parts.user} "
    line += f"{parts.address.replace(' ', '+')} {parts.agent.replace(' ', '+')} {parts.referrer or '-'} "
    return line + f"{parts.status} {parts.size}"


def as_json(parts: Fields) -> str:
    record = {
        "time_local": f"0{parts.second % 3 + 1}/Aug/2018:{parts.second:02}:01:35 {parts.zone}",
        "remote_addr": parts.address,
        "request": f"{parts.method} {parts.url}{parts.protocol}",
        "status": parts.status if parts.second % 2 else 200,
        "size": parts.size,
        "http_referer": parts.referrer,
        "http_user_agent": [parts.agent] if parts.second % 3 else None,
        "more": {"request_method": parts.more},
    }
    return json.dumps(record, ensure_ascii=bool(parts.second % 2))


W3C = (
    "date time cs-method cs-uri-stem cs-uri-query cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-bytes"
)
COLUMN_CASES: dict[str, Callable[[Fields], str]] = {
    "combined": combined,
    "vhost_combined": lambda parts: f"shop.example:443 {combined(parts)}",
    "$msec|$remote_addr|$remote_user x|$request|$status $bytes_sent <$http_user_agent> "
    "$upstream_addr $x": custom,
    '[$time_iso8601] $request_method $request_uri "$http_x_forwarded_for" "$http_user_agent" s=$status '
    '"$remote_user"': iso,
    f"w3c {W3C}": w3c,
}
CASES = COLUMN_CASES | {"json": as_json}
extras = st.binary(max_size=2) | st.sampled_from(
    (b" ", b'"', b"\\", b"9", b"-", b"[", b"]", b"\r", b"|", b",", b"\t", b"\0", b"#", b"\n#Fields: x")
)


@st.composite
def logs(draw: st.DrawFn, write: Callable[[Fields], str]) -> bytes:
    """Draw lines, in some of which some bytes are others, missing, or more."""
    lines = []
    for parts in draw(st.lists(fields, max_size=20)):
        raw = write(parts).encode()
        for _ in range(draw(st.sampled_from((0, 0, 1, 2)))):
            at = draw(st.integers(0, len(raw)))
            more = draw(extras)
            raw = raw[:at] + more + raw[at + draw(st.integers(0, 2)) :]
        lines.append(raw)
        if draw(st.integers(0, 9)) == 0:
            lines.append(draw(st.binary(max_size=40) | st.sampled_from((b"\0" * 50, b"\xef\xbb\xbf"))))
    return b"\n".join(lines)


@pytest.mark.parametrize("state", CASES)
def test_each_line_is_what_the_grammar_says(state: str) -> None:
    @given(
        logs(CASES[state]),
        st.integers(2500, 9000),  # a chunk holds the longest line
        st.sampled_from((None, RULES)),
    )
    def check(log: bytes, chunk_bytes: int, rules: Rules | None) -> None:
        parts = parse(log, state=state, rules=rules, chunk_bytes=chunk_bytes)
        rows = {row[0].position: row for part in parts for row in request_rows(part)}
        rejects = {reject.line: (reject.offset, reject.reason) for part in parts for reject in part.rejects}
        assert sum(part.lines for part in parts) == len(rows) + len(rejects)
        assert not any(part.duplicates for part in parts)
        log_format, keys, offset = make_format(state), LineKeys(), 0
        for position, raw in enumerate(log.split(b"\n"), start=1):
            line = without_marks(raw)
            if not is_blank(raw) and not (log_format.name == "w3c" and line.startswith(b"#")):
                parsed, reason = grammar_line(line, log_format, rules)
                at = offset + len(raw) - len(line)
                key = keys.key(raw) if parsed else 0
                assert rows.pop(position, None) == (parsed and expected_row(position, key, parsed))
                assert rejects.pop(position, None) == (reason and (at, f"{log_format.name}: {reason}"))
            if log_format.name == "w3c" and (names := fields_of(line)) is not None:
                log_format = W3cFormat(names)
            offset += len(raw) + 1
        assert not rows
        assert not rejects

    check()


def grammar_line(
    raw: bytes, log_format: StandardFormat, rules: Rules | None
) -> tuple[StandardLine | None, str | None]:
    """Return a line by the grammar, or why it is a reject."""
    try:
        for grammar, rows in log_format.sections(ChunkText(raw)):
            if len(rows):
                return grammar.parse(raw, rules, NOW), None
    except BadLine as error:
        return None, str(error)
    raise AssertionError(raw)


@pytest.mark.parametrize("state", COLUMN_CASES)
def test_most_lines_do_not_need_the_grammar_each(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is slow on every line would go unseen otherwise: the results are equal."""
    calls = []
    parse_one = Layout.parse

    def parse_and_count(layout: Layout, raw: bytes, rules: Rules | None, now: datetime) -> StandardLine:
        calls.append(raw)
        return parse_one(layout, raw, rules, now)

    monkeypatch.setattr(Layout, "parse", parse_and_count)
    good = Fields(
        *("8.8.8.8", "anna", 1, "+0000", "GET", "/fresh_fish/?page=2", " HTTP/1.1", "200", "2326"),
        *("https://a.example/", "Mozilla/5.0 (X11)", ""),
    )
    lines = [
        good,
        good._replace(address="2001:db8::1"),
        good._replace(size="-", status="404", user="-"),
        good._replace(referrer="-", agent="-", second=5),
        good._replace(url="/caviar/", address="8.8.4.4:80"),
    ]
    log = "\n".join(CASES[state](line) for line in lines).encode() + b"\nrubbish\n"
    [part] = parse(log, state=state)
    assert (len(part), calls) == (5, [b"rubbish"])


def test_lists_of_addresses_and_more_fields_and_carts_do_not_need_it_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Layout, "parse", None)
    cart = GOOD.replace(b"fresh_fish/?page=2", b"cart?goods_id=1&amount=2&cart_id=7")
    short = GOOD.replace(b' "https://a.example/" "Mozilla/5.0"', b"")
    lines = [cart, short, GOOD + b' 0.123 "8.8.8.8"', GOOD.replace(b"121.", b"10.0.0.1, 10.0.0.2, 121.")]
    [part] = parse(b"\n".join([*lines, b""]))
    assert len(part) == 4
    assert set(part.addresses) == {"121.165.118.201"}


@given(st.lists(st.integers(0, 3), max_size=30))
def test_equal_lines_are_numbered_by_how_many_stand_before(lines: list[int]) -> None:
    digests = np.array(lines, np.uint64) * np.uint64(2**62)
    assert ordinals_of(digests, np.sort(digests)).tolist() == [
        lines[:at].count(line) for at, line in enumerate(lines)
    ]


@given(st.lists(st.integers(0, 5), max_size=60), st.integers(150, 900))
def test_keys_are_those_of_a_reading_at_once_wherever_chunks_end(numbers: list[int], size: int) -> None:
    """Lines of a few seconds, in any order, each as often as it comes."""
    lines = [GOOD.replace(b"02:01:35", b"02:01:3%d" % number) for number in numbers]
    log = b"\n".join([*lines, b""])
    parts = parse(log, chunk_bytes=200 + size)
    keys = {position: key for part in parts for position, key in zip(part.position, part.key, strict=True)}
    oracle = LineKeys()
    assert [keys[at] for at in range(1, len(lines) + 1)] == [oracle.key(line) for line in lines]


def test_equal_lines_are_counted_however_much_stands_between_them() -> None:
    """Late lines, too: a run is compared with all that overlap it in time, not with the last alone."""
    keys = DigestKeys(RunLimits(lines=2, total=1000))
    chunk = Chunk(b"", 0, 1, Position.start())
    spans = ((0, 10), (20, 30), (40, 50), (0, 50), (8, 9))
    read = [
        keys.keys(replace(chunk, offset=at), [b"a", b"b"], np.array(span, np.int64)).tolist()
        for at, span in enumerate(spans)
    ]
    # The second and third spans share no time with the first, so their lines can't be equal to its lines.
    oracle = LineKeys()
    first = [oracle.key(b"a"), oracle.key(b"b")]
    assert read[:3] == [first, first, first]
    assert [read[3][0], read[4][0]] == [nth_key(b"a", 4), nth_key(b"a", 3)]


def nth_key(raw: bytes, count: int) -> int:
    oracle = LineKeys()
    return [oracle.key(raw) for _ in range(count)][-1]


def test_keys_are_those_of_an_uninterrupted_reading_wherever_reading_begins() -> None:
    log = b"\n".join([GOOD, GOOD, GOOD.replace(b"anna", b"otto"), GOOD, GOOD + b"\r", b""])
    [whole] = parse(log)
    assert len(whole) == 5
    for chunk_bytes in (200, 300, 500):
        parts = parse(log, chunk_bytes=chunk_bytes)
        assert len(parts) > 1
        assert [key for part in parts for key in part.key.tolist()] == whole.key.tolist()
