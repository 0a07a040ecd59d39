"""Lines as they are met: glued, cut, with odd requests, users and addresses; each right or a true reject."""

import io
from datetime import UTC

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from tests.support.log_imports import NOW, some_lines

TIME = "29/Nov/2025:15:20:44 +0000"
NO_URL = "combined: the request names no URL"
TWO = "combined: two requests stand on one line"
NONE = "combined: not a line of the combined log format"
HOST = "combined: a host name stands where the address should be: log addresses, not names"
RETURN = "combined: a carriage return stands inside the line"


def combined(request: str = "GET /g1/ HTTP/1.1", *, address: str = "203.0.113.9", user: str = "-") -> str:
    return f'{address} - {user} [{TIME}] "{request}" 200 5 "-" "ua"'


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
    assert reason_of(combined(request_line)) == NO_URL


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


@pytest.mark.parametrize("user", ["ann lee", "x] \\x22y", "a [b] c", "[", "] [", "анна", "-", "a@b.example"])
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
