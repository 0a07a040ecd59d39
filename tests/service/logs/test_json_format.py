"""JSON lines, as nginx, Caddy and Traefik write them, and with names of one's own."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.logs.json_format import JsonFormat
from service.logs.shop_format import BadLine
from tests.support.log_imports import NOW

FORMAT = JsonFormat(ZoneInfo("Europe/Berlin"))
INSTANT = datetime(2025, 11, 28, 10, 2, tzinfo=UTC)
NGINX = {
    "time_local": "28/Nov/2025:10:02:00 +0000",
    "remote_addr": "203.0.113.9",
    "request": "GET /caviar/ HTTP/1.1",
    "status": "200",
    "body_bytes_sent": "17",
    "http_referer": "https://a.example/",
    "http_user_agent": "curl/8",
}
CADDY = {
    "ts": INSTANT.timestamp(),
    "request": {
        "remote_ip": "10.0.0.1",
        "client_ip": "203.0.113.9",
        "method": "GET",
        "uri": "/caviar/",
        "headers": {"User-Agent": ["curl/8"], "Referer": ["https://a.example/"]},
    },
    "size": 17,
    "status": 200,
}
TRAEFIK = {
    "ClientHost": "203.0.113.9",
    "DownstreamContentSize": 17,
    "DownstreamStatus": 200,
    "RequestMethod": "GET",
    "RequestPath": "/caviar/",
    "StartUTC": "2025-11-28T10:02:00.0000001Z",
    "time": "2025-11-28T10:05:00Z",
    "request_Referer": "https://a.example/",
    "request_User-Agent": "curl/8",
}


def raw(record: Any) -> bytes:
    return json.dumps(record).encode()


@pytest.mark.parametrize("record", [NGINX, CADDY, TRAEFIK])
def test_what_the_known_servers_write_is_read(record: dict[str, Any]) -> None:
    assert FORMAT.fits(raw(record))
    line = FORMAT.parse(raw(record), None, NOW)
    assert (line.instant, line.address, line.url, line.page.kind) == (
        INSTANT,
        "203.0.113.9",
        "/caviar/",
        "category",
    )
    assert (line.method, line.status, line.body_bytes) == ("GET", 200, 17)
    assert (line.referrer, line.agent) == ("https://a.example/", "curl/8")


@pytest.mark.parametrize("status", [0, "0", "000", "-", "", None])
def test_a_request_that_got_no_answer_is_no_view(status: Any) -> None:
    """Caddy logs 0 where the client went away."""
    for record in (NGINX, CADDY):
        line = FORMAT.parse(raw(record | {"status": status}), None, NOW)
        assert (line.url, line.page.kind, line.status) == ("/caviar/", "other", None)


def test_a_log_without_statuses_has_views() -> None:
    record = {name: value for name, value in NGINX.items() if name != "status"}
    assert FORMAT.parse(raw(record), None, NOW).page.kind == "category"


@pytest.mark.parametrize("method", ["", "-", "HEAD"])
def test_a_request_of_no_method_or_another_is_no_view(method: str) -> None:
    record = CADDY | {"request": {"client_ip": "203.0.113.9", "uri": "/caviar/", "method": method}}
    assert FORMAT.parse(raw(record), None, NOW).page.kind == "other"


@pytest.mark.parametrize(
    ("request_line", "url"),
    [
        ("GET /a\0b HTTP/1.1", "/a%00b"),
        ("GET /a\nb HTTP/1.1", "/a%0Ab"),
        ("GET /a\u00a0b HTTP/1.1", "/a%C2%A0b"),
        ("GET /a b HTTP/1.1", "/a%20b"),
        ("/a b", "/a%20b"),
    ],
)
def test_what_may_not_stand_in_a_url_is_encoded(request_line: str, url: str) -> None:
    assert FORMAT.parse(raw(NGINX | {"request": request_line}), None, NOW).url == url


@pytest.mark.parametrize(
    "time",
    [
        "2025-11-28T10:02:00Z",
        "2025-11-28T11:02:00+01:00",
        "2025-11-28T11:02:00.000+0100",
        "2025/11/28 11:02:00",  # Caddy's wall, at the zone of the log
        "2025-11-28 11:02:00",
        "28/Nov/2025:10:02:00 +0000",
        "1764324120",
        "1764324120.000",
        1764324120,
        1764324120000,
        1764324120000000,
        1764324120000000000,
        1764324120.0,
    ],
)
def test_a_time_is_read_in_any_of_the_ways_that_servers_write_it(time: Any) -> None:
    assert FORMAT.parse(raw(CADDY | {"ts": time}), None, NOW).instant == INSTANT


def test_names_of_ones_own_go_before_the_known_ones() -> None:
    own = JsonFormat(
        UTC, {"time": "at", "address": "who.ip", "url": "what.path", "agent": "who.a.b", "status": "st.at"}
    )
    record = NGINX | {
        "at": INSTANT.timestamp(),
        "who": {"ip": "8.8.8.8", "a.b": "x", "a": {"b": "y"}},
        "what": {"path": "/soups/"},
        "st.at": 404,
    }
    line = own.parse(raw(record), None, NOW)
    assert (line.address, line.url, line.agent, line.status) == ("8.8.8.8", "/soups/", "y", 404)
    assert not own.fits(raw(NGINX))


def test_bytes_that_nginx_escapes_without_escape_json_are_read() -> None:
    line = raw(NGINX | {"request": "GET /@1/@2/ HTTP/1.1", "http_user_agent": "say @3hi@3"}).decode()
    for mark, escape in (("@1", r"\xD1\x8F"), ("@2", r"\xFF"), ("@3", r"\x22")):
        line = line.replace(mark, escape)
    read = FORMAT.parse(line.encode(), None, NOW)
    assert (read.url, read.agent) == ("/я/%FF/", 'say "hi"')
    with pytest.raises(BadLine, match="not an object in JSON"):
        FORMAT.parse(line.replace("}", r"\q").encode(), None, NOW)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x", "not an object in JSON"),
        (b"[1]", "not an object in JSON"),
        (b'{"a":', "not an object in JSON"),
        (b'{"a":' * 5000, "not an object in JSON"),
        (raw(NGINX) * 2, "two requests stand on one line"),
        (raw(NGINX | {"time_local": None}), "the object has no time"),
        (raw(NGINX | {"remote_addr": []}), "the object has no address"),
        (raw(NGINX | {"request": {}}), "the object has no URL"),
        (raw(NGINX | {"remote_addr": "shop.example"}), "a host name stands"),
        (raw(NGINX | {"time_local": "yesterday"}), "no such date or time"),
        (raw(NGINX | {"time_local": 1e300}), "time is out of range|no such date"),
        (raw(NGINX | {"status": "OK"}), "the status is not a number of three digits"),
        *(
            (raw(NGINX | {"request": request}), "the request names no URL")
            for request in (
                "",
                "PRI * HTTP/2.0",
                "OPTIONS * HTTP/1.1",
                "CONNECT a.b:443 HTTP/1",
                "\x16\x03",
            )
        ),
    ],
)
def test_a_line_that_does_not_match_says_why(line: bytes, reason: str) -> None:
    with pytest.raises(BadLine, match=reason):
        FORMAT.parse(line, None, NOW)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(list(NGINX)), inner),
    max_leaves=5,
)


@given(st.sampled_from((NGINX, CADDY, TRAEFIK)), st.data())
def test_no_object_raises_anything_but_bad_line(record: dict[str, Any], data: st.DataObject) -> None:
    changed = record | data.draw(st.dictionaries(st.sampled_from([*record, *NGINX]), values, max_size=4))
    try:
        line = FORMAT.parse(raw(changed), None, NOW)
    except BadLine:
        return
    assert line.instant.year >= 1970
    assert "\0" not in line.url


@given(st.binary(max_size=60), st.integers(0, 300), st.integers(0, 3))
def test_no_bytes_raise_anything_but_bad_line(more: bytes, at: int, skipped: int) -> None:
    line = raw(CADDY)
    changed = line[:at] + more + line[at + skipped :]
    FORMAT.fits(changed)
    try:
        FORMAT.parse(changed, None, NOW)
    except BadLine:
        return
