"""Lines as they are met: glued, cut, with odd requests, users and addresses; each right or a true reject."""

import io
from datetime import UTC
from hashlib import sha256

import pytest

from service.logs.chunks import LogFile, Position
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from tests.support.log_imports import NOW, some_lines

TIME = "29/Nov/2025:15:20:44 +0000"
NO_URL = "combined: the request names no URL that can be read"
TWO = "combined: two requests stand on one line"
NONE = "combined: not a line of the combined log format"
HOST = "combined: a host name stands where the address should be: log addresses, not names"
RETURN = "combined: a carriage return stands inside the line"


def combined(
    request: str = "GET /g1/ HTTP/1.1",
    *,
    address: str = "203.0.113.9",
    user: str = "-",
    status: str = "200",
) -> str:
    return f'{address} - {user} [{TIME}] "{request}" {status} 5 "-" "ua"'


GOOD = combined()


def parse(*lines: str) -> LineColumns:
    [chunk] = LogFile(io.BytesIO("\n".join([*lines, GOOD, ""]).encode())).chunks()
    columns = LogParser(FormatOptions(UTC, declared="combined")).parse(chunk, now=NOW)
    assert columns is not None
    return columns


def reason_of(line: str) -> str | None:
    """Return why a line is a reject; None if it is a visit."""
    columns = parse(line)
    assert columns.lines == len(columns) + len(columns.rejects) == 2
    return columns.rejects[0].reason if columns.rejects else None


@pytest.mark.parametrize(
    "request_line",
    [
        "PRI * HTTP/2.0",
        "OPTIONS * HTTP/1.1",
        "CONNECT shop.example:443 HTTP/1.1",
        "",
        "-",
        "<BADREQ>",
        "\\x16\\x03\\x01\\x02 hello",
        "\\x00\\x00",
        "GET /with space/x HTTP/1.1",
        "GET",
        "GET /a HTTP/1.1 x HTTP/1",
    ],
)
def test_a_request_that_names_no_url_is_a_reject_with_that_reason(request_line: str) -> None:
    assert reason_of(combined(request_line, status="400")) == NO_URL


@pytest.mark.parametrize(
    ("request_line", "url", "kind"),
    [
        ("GET  /g1/ HTTP/1.1", "/g1/", "category"),
        ("GET /g1/   HTTP/1.1  ", "/g1/", "category"),
        ("GET /g1/ ", "/g1/", "category"),
        ("GET /a b HTTP/1.1", "/a%20b", "category"),  # as nginx took it before 1.21.1
        ("GET /a b", "/a%20b", "category"),
        ("GET /a  b/c  HTTP/1.0", "/a%20%20b/c", "product"),
        ("GET /a FOO HTTP/1.1", "/a%20FOO", "category"),
        ("OPTIONS / RTSP/1.0", "/", "other"),
        ("GET HTTP://Shop.example/x HTTP/1.1", "http://shop.example/x", "category"),
        ("GET /a\u00a0b HTTP/1.1", "/a%C2%A0b", "category"),
    ],
)
def test_spaces_in_a_request_that_was_answered_are_read_as_the_server_read_them(
    request_line: str, url: str, kind: str
) -> None:
    lines = parse(combined(request_line))
    pages = {page.url: page.kind for page in lines.pages}
    assert (len(lines.rejects), pages[url]) == (0, kind)


@pytest.mark.parametrize("request_line", ["GET /a b HTTP/1.1", "GET /a b", "GET /a FOO"])
def test_spaces_in_a_url_that_the_server_refused_are_a_reject(request_line: str) -> None:
    assert reason_of(combined(request_line, status="400")) == NO_URL
    assert reason_of(combined(request_line, status="404")) is None


@pytest.mark.parametrize("status", ["-", "000"])
@pytest.mark.parametrize("user", ["-", "a [b] c"])  # read in columns, and by the grammar
def test_a_request_that_got_no_answer_is_no_view(status: str, user: str) -> None:
    lines = parse(combined("GET /g2/ HTTP/1.1", status=status, user=user))
    assert not lines.rejects
    assert lines.status is not None
    assert sorted((page.url, page.kind) for page in lines.pages) == [("/g1/", "category"), ("/g2/", "other")]
    assert sorted(lines.status.tolist()) == [-1, 200]


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /shop/",
        "GET http://other.example/a HTTP/1.1",
        "get /a HTTP/1.1",
        "PROPFIND /dav/ HTTP/1.1",
        "GET /\\xD1\\x80/ HTTP/1.1",
        "GET /a\\x22b/ HTTP/1.1",
        "GET /? HTTP/1.1",
        "GET /?q='%22<script> HTTP/1.1",
    ],
)
def test_an_odd_request_is_read(request_line: str) -> None:
    assert reason_of(combined(request_line)) is None


@pytest.mark.parametrize(
    "user",
    [
        *("ann lee", "x] \\x22y", "a [b] c", "[", "] [", "анна", "-", "a@b.example", 'an\\"na', "a | b"),
        *("", '""'),  # of nobody: as Varnish and as Apache write it
        *(f"[{TIME}]", f"[{TIME}] x", f"a [{TIME}] b c", "x [29/No", "[2", "[203.0.113.9]", "[1.2.3.4 x"),
    ],
)
def test_a_user_may_have_any_name_without_a_quote(user: str) -> None:
    assert reason_of(combined(user=user)) is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD + GOOD, TWO),
        (GOOD + " " + GOOD, TWO),
        (GOOD[:-5] + GOOD, TWO),
        (GOOD.removesuffix(' "-" "ua"') + GOOD, TWO),
        (GOOD[: GOOD.index("/g1/") + 2] + GOOD, TWO),
        (GOOD[: GOOD.index("/2025")] + GOOD, TWO),
        (GOOD[: GOOD.index("2025:")] + GOOD, TWO),
        (GOOD[: GOOD.index("[") + 1] + GOOD, TWO),
        *((GOOD[: GOOD.index("[") + cut] + GOOD, TWO) for cut in (2, 3, 4, 6, 8, 12, 15, 20, 21, 25, 28, 29)),
        (GOOD[: GOOD.index("[") + 9] + combined(address="2001:db8::1"), TWO),
        (GOOD[: GOOD.index("[") + 9] + combined(address="10.0.0.1, 8.8.8.8"), TWO),
        (GOOD[: GOOD.index(" [")] + " " + GOOD, None),  # that may be the name of a user
        (GOOD + ' "198.51.100.4" rt=0.003', None),
        (GOOD + "x", NONE),
        (GOOD[:-1], NONE),
        (GOOD[:50], NONE),
        (GOOD + "\r", None),
        (GOOD + "\r" + GOOD, RETURN),
        (GOOD.replace("g1", "g\r1"), RETURN),
        (GOOD + "\r\r", RETURN),
        ("\0" * 70_000 + GOOD, None),
        ("\0\0\ufeff" + GOOD, None),
        (
            combined(address="a.b"),
            HOST,
        ),
        (combined(address="unix:"), "combined: not an IPv4 or IPv6 address"),
        (combined(address="10.0.0.1, 8.8.8.8"), None),
    ],
)
def test_no_line_is_read_by_half(line: str, reason: str | None) -> None:
    assert reason_of(line) == reason


JSON = f'{{"time_local":"{TIME}","remote_addr":"203.0.113.9","request":"GET /g1/ HTTP/1.1","status":"200"}}'
VHOST = f"shop.example:443 {GOOD}"
W3C = "#Fields: date time c-ip cs-uri-stem\n2025-11-29 15:20:44 203.0.113.9 /g1/"
CUSTOM = "$remote_addr | $time_local | $request"
PIPES = f"203.0.113.9 | {TIME} | GET /g1/ HTTP/1.1"


@pytest.mark.parametrize("prefix", ["web-1  | ", "nginx | ", "\x1b[36mweb-1  | \x1b[0m", "\0\0shop_web.1 | "])
@pytest.mark.parametrize(
    ("log", "name"), [(GOOD, "combined"), (VHOST, "vhost_combined"), (JSON, "json"), (W3C, "w3c")]
)
def test_a_containers_name_before_a_line_and_colours_are_taken_off(log: str, name: str, prefix: str) -> None:
    lines = log.split("\n")
    text = "".join(f"{prefix}{line}\n" for line in (*lines, "talk | of start", lines[-1]))
    parser = LogParser(FormatOptions(UTC))
    plain = LogParser(FormatOptions(UTC))
    [[chunk], [bare]] = (
        LogFile(io.BytesIO(raw.encode())).chunks() for raw in (text, text.replace(prefix, ""))
    )
    columns, expected = parser.parse(chunk, now=NOW), plain.parse(bare, now=NOW)
    assert columns is not None
    assert expected is not None
    assert (columns.log_format, len(columns), columns.addresses) == (name, 2, ["203.0.113.9"])
    assert columns.key.tolist() == expected.key.tolist()
    [reject] = columns.rejects
    shown = prefix.replace("\0", "") + "talk | of start"
    assert (reject.text, reject.offset) == (shown, text.index(shown))


ISO = "2025-11-29T15:20:44+00:00"
REQUEST = f'1.1.1.1 [{TIME}] "GET /a HTTP/1.1"'
FREE_ENDS = {
    '$remote_addr [$time_local] "$request" $status rt=$request_time': f"{REQUEST} 200 rt=0.1",
    '$remote_addr [$time_local] "$request" $http_user_agent': f"{REQUEST} Mozilla/5.0 (X11)",
    "$time_iso8601 $remote_addr $request_method $request_uri $request_time": f"{ISO} 1.1.1.1 GET /a 0.001",
    "$msec $remote_addr $request_uri": "1764429644.123 1.1.1.1 /a",
    "$time_iso8601|$remote_addr|$request|$http_user_agent": f"{ISO}|1.1.1.1|GET /a HTTP/1.1|ua",
    "w3c": "2025-11-29 15:20:44 1.1.1.1 /a Mozilla/5.0",
}


@pytest.mark.parametrize("declared", FREE_ENDS)
def test_a_last_field_of_any_text_never_hides_another_request(declared: str) -> None:
    line = FREE_ENDS[declared]
    fields = "#Fields: date time c-ip cs-uri cs(User-Agent)\n" if declared == "w3c" else ""
    glued = [line + line, f"{line} {line}", line[:-1] + line]
    text = fields + "\n".join([line, *glued, line, ""])
    [chunk] = LogFile(io.BytesIO(text.encode())).chunks()
    columns = LogParser(FormatOptions(UTC, declared=declared)).parse(chunk, now=NOW)
    assert columns is not None
    assert (len(columns), len(columns.rejects)) == (2, 3)
    assert {page.url for page in columns.pages} == {"/a"}


def test_a_format_with_bars_of_its_own_is_read_as_it_is() -> None:
    [chunk] = LogFile(io.BytesIO(f"{PIPES}\n".encode())).chunks()
    columns = LogParser(FormatOptions(UTC, declared=CUSTOM)).parse(chunk, now=NOW)
    assert columns is not None
    assert (columns.addresses, columns.rejects) == (["203.0.113.9"], [])


def test_a_log_is_resumed_behind_lines_with_a_containers_name() -> None:
    """The lines before tell how many equal ones there were."""
    log = "".join(f"web-1  | {GOOD}\n" for _ in range(4)).encode()
    keys = []
    for position in (None, len(log) // 2):
        file = LogFile(io.BytesIO(log), chunk_bytes=len(log))
        parser = LogParser(FormatOptions(UTC), state=None if position is None else "combined")
        if position is not None:
            assert file.skip_to(Position(position, 2, sha256(log[:position]).digest()))
        for chunk in file.chunks():
            columns = parser.parse(chunk, now=NOW)
            assert columns is not None
            keys.append(sorted(zip(columns.position.tolist(), columns.key.tolist(), strict=True)))
    assert keys[1] == keys[0][2:]
    assert len({key for _, key in keys[0]}) == 4


def test_the_shops_lines_are_not_read_by_half_either() -> None:
    good = some_lines(2).decode().splitlines()
    log = "\n".join(
        [good[0] + good[1], good[0].replace("shop_api", "a\rb"), good[0] + "\r", "\0" + good[1], ""]
    )
    [chunk] = LogFile(io.BytesIO(log.encode())).chunks()
    columns = LogParser(FormatOptions(UTC)).parse(chunk, now=NOW)
    assert columns is not None
    assert columns.position.tolist() == [3, 4]
    assert [reject.reason for reject in columns.rejects] == [
        "shop: URL has a space in it, or there is none",
        "shop: a carriage return stands inside the line",
    ]


def test_the_first_public_address_of_a_list_is_that_of_the_visit() -> None:
    columns = parse(
        *(combined(address=text) for text in ("10.0.0.1, 8.8.8.8", "8.8.4.4:80", "::ffff:9.9.9.9"))
    )
    assert columns.addresses == ["8.8.8.8", "8.8.4.4", "9.9.9.9", "203.0.113.9"]
