"""Lines of all formats but the shop's in columns, compared with their grammar one by one, on any bytes."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.chunk_text import ChunkText
from service.logs.chunks import without_marks
from service.logs.json_layouts import LAYOUT_LIMITS, LayoutLimits
from service.logs.line_columns import LineColumns
from service.logs.line_layout import Layout
from service.logs.rejects import is_blank
from service.logs.shop_format import BadLine
from service.logs.standard_format import StandardFormat
from service.logs.standard_line import StandardLine
from service.logs.url_rules import Rules, parse_rule
from service.logs.w3c_format import W3cFormat, fields_of
from tests.support.line_keys import LineKeys
from tests.support.line_rows import LineRow, line_rows
from tests.support.standard_lines import (
    CASES,
    COLUMN_CASES,
    GOOD,
    NOW,
    Fields,
    as_caddy,
    as_json,
    as_nginx,
    as_traefik,
    logs,
    make_format,
    parse,
)

RULES = Rules((parse_rule("", {"kind": "product", "path": "/shop/(?P<category>[^/]+)/(?P<product>[^/]+)"}),))
RequestRow = tuple[LineRow, str | None, int | None, int | None, str | None, str | None]


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


@pytest.mark.parametrize(
    ("state", "write"), [*CASES.items(), *(("json", write) for write in (as_caddy, as_nginx, as_traefik))]
)
def test_each_line_is_what_the_grammar_says(state: str, write: Callable[[Fields], str]) -> None:
    @given(
        logs(write),
        st.integers(2500, 9000),  # a chunk holds the longest line
        st.sampled_from((None, RULES)),
        st.sampled_from((LAYOUT_LIMITS, LayoutLimits(lines=1, trials=20, share=1000))),
    )
    def check(log: bytes, chunk_bytes: int, rules: Rules | None, limits: LayoutLimits) -> None:
        parts = parse(log, state=state, rules=rules, chunk_bytes=chunk_bytes, limits=limits)
        check_parts(log, parts, state, rules)

    check()


LIST_PARTS = ("8.8.8.8", "10.0.0.1", "2001:db8::1", "unknown", "x", ",", ",", ", ", " ", " : ", ":80", "-")
UPSTREAMS = "$remote_addr [$time_iso8601] $request $status $upstream_addr $http_user_agent"


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("combined", '{} - - [01/Aug/2018:00:01:00 +0000] "GET /a/ HTTP/1.1" 200 -'),
        ("vhost_combined", 'shop:443 {} - anna [01/Aug/2018:00:01:00 +0000] "GET /a/ HTTP/1.1" 200 -'),
        (UPSTREAMS, "8.8.4.4 [2018-08-01T00:01:35+02:00] GET /a/ HTTP/1.1 200 {} curl/8"),
    ],
)
@given(data=st.data())
def test_lists_are_what_the_grammar_says(state: str, line: str, data: st.DataObject) -> None:
    lists = data.draw(st.lists(st.lists(st.sampled_from(LIST_PARTS), max_size=8).map("".join), max_size=8))
    log = "\n".join(line.format(addresses) for addresses in lists).encode()
    check_parts(log, parse(log, state=state), state, None)


def check_parts(log: bytes, parts: list[LineColumns], state: str, rules: Rules | None) -> None:
    """Check that each line of a log became what its grammar says."""
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


ODD_VALUES = (
    *(
        "",
        "-",
        "0",
        "007",
        "00.5",
        "1.",
        ".5",
        "1.2.3",
        "-1",
        "1e5",
        "123456789",
        "1" * 25,
        "200",
        "404",
        "000",
    ),
    *(
        "null",
        "true",
        '""',
        '"x"',
        '"',
        "{}",
        "[1]",
        "\\u0041",
        "\\",
        "\t",
        "\x7f",
        "\x01",
        "é",
        " ",
        "/a b",
        "a,b",
    ),
    *(
        "GET / HTTP/1.1",
        "/x /y HTTP/1.1",
        "http://a /b HTTP/1.1",
        "GET /\\u0062 HTTP/1.1",
        "/\x0b",
        "8.8.8.8 ",
    ),
    *(
        "2018-08-01T00:01:35Z",
        "1533000000.5",
        "0533000000.123",
        "2018-13-01T00:01:35+00:00",
        '"x":1,"status":404',
    ),
)
ODD_LINES = ("{}", "[]", "x", '{"status":200}', "null", '{"a":1}{"a":1}')


@pytest.mark.parametrize("write", [as_nginx, as_traefik, as_caddy, as_json])
def test_json_lines_of_a_layout_are_what_the_grammar_says_whatever_one_value_is(
    write: Callable[[Fields], str],
) -> None:
    good = Fields(
        *("8.8.8.8", "bob", 9, "+0000", "GET", "/fresh_fish/?page=2", " HTTP/1.1", "200", "2326"),
        *("https://a.example/", "Mozilla/5.0 (X11)", ""),
    )
    line = write(good)
    lines = [line] * 80
    for value in re.finditer(r'(?<=[:\[] )[^",{}\[\]]+|(?<=[:\[])[^",{}\[\] ]+|"([^"]*)"', line):
        start, end = value.span(1 if value[1] is not None else 0)
        lines += [line[:start] + odd + line[end:] for odd in ODD_VALUES]
        lines += [line[: value.start()] + odd + line[value.end() :] for odd in ODD_VALUES]
    lines += [*ODD_LINES, line + " ", " " + line, line.replace(":", ": "), f"{line}{line}", line[:-1]]
    log = "\n".join(lines).encode()
    # The first chunk has the good lines alone, so that their layout is inferred.
    parts = parse(log, state="json", chunk_bytes=70 * len(line), limits=LayoutLimits(share=1000))
    check_parts(log, parts, "json", None)


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
