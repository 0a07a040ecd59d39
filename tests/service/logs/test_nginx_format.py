"""Formats in the words of nginx's log_format: which are taken, and what lines say by them."""

from datetime import UTC, datetime

import pytest

from service.logs.chunk_text import ChunkText
from service.logs.detect import restore_format
from service.logs.format_options import FormatOptions
from service.logs.nginx_format import FormatError, read_format
from service.logs.standard_line import StandardLine
from tests.support.log_imports import NOW

TIME = "28/Nov/2025:10:00:00 +0100"


def parse(log_format: str, line: str) -> StandardLine:
    read = restore_format(log_format, FormatOptions(UTC))
    assert read is not None
    assert read.fits(line.encode())
    [(grammar, _)] = read.sections(ChunkText(line.encode()))
    return grammar.parse(line.encode(), None, NOW)


def test_a_list_of_servers_may_be_empty() -> None:
    line = "1764320400.000 8.8.8.8 /caviar/  10.0.0.1:80, 10.0.0.2:80"
    assert parse("$msec $remote_addr $request_uri $upstream_addr $x", line).url == "/caviar/"


@pytest.mark.parametrize("separator", ["|", "\t", " "])
@pytest.mark.parametrize(
    ("written", "url"), [("/caviar/-", "/caviar/"), ("/a--", "/a-"), ("/a/?b=-", "/a/?b=-")]
)
def test_a_dash_is_written_for_arguments_that_there_are_not(separator: str, written: str, url: str) -> None:
    log_format = separator.join(("$msec", "$remote_addr", "$uri$is_args$args", "$status"))
    line = separator.join(("1764320400.000", "8.8.8.8", written, "200"))
    assert parse(log_format, line).url == url


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        ('$remote_addr [$time_local] "$request"', f'8.8.8.8 [{TIME}] "GET /caviar/?a=1 HTTP/1.1"'),
        ("$msec ${remote_addr} $request_uri", "1764320400.000 8.8.8.8 /caviar/?a=1"),
        (
            "$time_iso8601\t$remote_addr\t$uri$is_args$args",
            "2025-11-28T10:00:00+01:00\t8.8.8.8\t/caviar/?a=1",
        ),
        (
            '$remote_addr "$http_x_forwarded_for" $scheme://$host$request_uri $msec',
            '8.8.8.8 "1.1.1.1" https://shop.example/caviar/?a=1 1764320400.000',
        ),
        (
            "log_format main '$remote_addr - $remote_user [$time_local] '\n '\"$request\" rt=$request_time';",
            f'8.8.8.8 - an [n] a [{TIME}] "GET /caviar/?a=1 HTTP/1.1" rt=0.123',
        ),
        (
            r"time:$msec\thost:$remote_addr\treq:$request\t\"x\" \\ \y $pipe",
            'time:1764320400.000\thost:8.8.8.8\treq:GET /caviar/?a=1 HTTP/1.1\t"x" \\ \\y .',
        ),
        (
            (
                "log_format tabs escape=json $remote_addr  # the visitor's\n"
                r"""'\t[$time_local]\t' "\"$request\"\t" $request_time 's;'; access_log /x;"""
            ),
            f'8.8.8.8\t[{TIME}]\t"GET /caviar/?a=1 HTTP/1.1"\t0.123s;',
        ),
        (
            "$upstream_addr $upstream_response_time $remote_addr $request_uri $msec $pipe$connection",
            "10.0.0.1:80, 10.0.0.2:80 : - 0.1, 0.2 : 0.3 8.8.8.8 /caviar/?a=1 1764320400.000 .12",
        ),
        (
            (
                '{"c":{"ip":"$remote_addr:$remote_port","p":${remote_port}},"b":$bytes_sent,"t":$msec,'
                '"u":"$scheme://${host}$request_uri","x.y":"$http_user_agent"}'
            ),
            '{"c":{"ip":"8.8.8.8:5678","p":5678},"b":7,"t":1764320400.000,"u":"/caviar/?a=1","x.y":"a"}',
        ),
        (
            '{"t": $msec, "c": {"ip": "$remote_addr"}, "r": "$request", "x.y": "$http_user_agent"}',
            '{"t": 1764320400.000, "c": {"ip": "8.8.8.8"}, "r": "GET /caviar/?a=1 HTTP/2.0", "x.y": "a"}',
        ),
    ],
)
def test_what_a_format_says_is_read(log_format: str, line: str) -> None:
    read = parse(log_format, line)
    assert read.instant == datetime(2025, 11, 28, 9, tzinfo=UTC)
    assert (read.address, read.url, read.page.kind) == ("8.8.8.8", "/caviar/?a=1", "category")
    assert read.status is None
    assert read.agent == ("a" if "http_user_agent" in log_format else None)


def test_all_that_a_request_says_is_read() -> None:
    read = parse(
        "$time_local|$realip_remote_addr|$request_method|$request_uri|$status|$bytes_sent|$http_referer|"
        "$http_user_agent",
        f"{TIME}|8.8.8.8|HEAD|/caviar/|304|17|https://a.example/|curl/8 (x y)",
    )
    assert (read.method, read.status, read.body_bytes) == ("HEAD", 304, 17)
    assert (read.referrer, read.agent) == ("https://a.example/", "curl/8 (x y)")
    assert read.page.kind == "other"  # no view


@pytest.mark.parametrize("name", ["shop", "common", "combined", "vhost_combined", "w3c", "json"])
def test_the_names_of_formats_are_formats(name: str) -> None:
    assert read_format(name) == name


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("combned", "neither shop, common"),
        ("", "neither shop"),
        ("$remote_addr $request", "no variable for a time, such as .time_local"),
        ("$time_local $request", "no variable for an address"),
        ("$time_local $remote_addr", "no variable for a URL"),
        ("$msec$remote_addr $request", "nothing stands between .msec and .remote_addr"),
        ('{"a": $msec, ', "begins like an object"),
        ('{"a": "$msec"}', "no variable for an address"),
        ("$msec $remote_addr\n$request", "one line"),
        ("$msec $remote_addr $request" + " " * 5000, "at most 4096"),
    ],
)
def test_a_format_that_tells_too_little_is_refused(text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        read_format(text)


@pytest.mark.parametrize(
    ("values", "fields"),
    [
        ('"u": "$uri", "q": "$args", "r": "$request"', {"url": "r"}),
        ('"u": "$uri", "q": "$args", "r": "$request_uri"', {"url": "r"}),
        ('"u": "$uri", "q": "$args"', {"url": "u", "query": "q"}),
        ('"u": "$uri", "r": "$uri$is_args$args"', {"url": "r"}),
        ('"u": "$uri", "r": "$request_method $request_uri $server_protocol"', {"url": "r"}),
        ('"u": "$scheme://$host$uri", "q": "$query_string"', {"url": "u", "query": "q"}),
        ('"r": "$request_uri in $request_time s", "u": "$uri"', {"url": "u"}),
    ],
)
def test_the_url_of_a_format_in_json_is_what_tells_most(values: str, fields: dict[str, str]) -> None:
    read = read_format(f'{{"t": "$msec", "a": "$remote_addr", {values}}}')
    assert read == {"time": "t", "address": "a", **fields}


def test_a_path_and_its_query_are_one_url_in_json_too() -> None:
    log_format = '{"t": "$msec", "a": "$remote_addr", "u": "$uri", "q": "$args"}'
    line = '{"t": "1764320400.000", "a": "8.8.8.8", "u": "/caviar/", "q": "b=1"}'
    assert parse(log_format, line).url == "/caviar/?b=1"
