"""Lines of servers that write them otherwise than nginx and Apache do, each as a real one has written it."""

import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import KINDS, LineColumns
from service.logs.log_parser import LogParser
from tests.support.log_imports import NOW

LINE = '203.0.113.9 - - [30/Oct/2025:09:58:21 +0000] "GET /fish/?page=2 HTTP/1.1" 200 2 "-" "curl/7.88.1"'
VHOST = f"shop.example:80 {LINE}"
JSON = '{"time":"2025-10-30T09:58:21Z","remote_addr":"203.0.113.9","request":"GET /fish/ HTTP/1.1"}'
AT = datetime(2025, 10, 30, 9, 58, 21, tzinfo=UTC)


def parse(log: str, *, zone: str = "UTC", declared: str | None = None) -> LineColumns:
    [chunk] = LogFile(io.BytesIO(log.encode())).chunks()
    columns = LogParser(FormatOptions(ZoneInfo(zone), declared=declared)).parse(chunk, now=NOW)
    assert columns is not None
    assert columns.lines == len(columns) + len(columns.rejects) + columns.duplicates
    return columns


def instants(columns: LineColumns) -> list[datetime]:
    return [datetime.fromtimestamp(at / 1_000_000, UTC) for at in columns.occurred.tolist()]


@pytest.mark.parametrize(
    "prefix",
    [
        "Oct 30 09:58:21 shop nginx: ",
        "Oct  3 09:58:21 shop haproxy[1234]: ",
        "<190>Oct 30 09:58:21 nginx: ",
        "<134>Oct 30 09:58:21 shop.example apache2[7]: ",
        "2025-10-30T09:58:21.123456+00:00 shop nginx: ",
        "2025-10-30T09:58:21+0000 shop nginx[12]: ",
        "[2025-10-30 09:58:21 +0000] [28729] [INFO] ",
        "web-1  | [2025-10-30 09:58:21 +0000] [7] [INFO] ",
        "Oct 30 09:58:21.123456 shop nginx[7]: ",  # journalctl -o short-precise
        "Oct 30 09:58:21 shop daemon.info nginx: ",  # BusyBox
        "<190>1 2025-10-30T09:58:21+00:00 shop nginx 7 - - ",
        '<190>1 2025-10-30T09:58:21.1+00:00 shop nginx 7 x [a@1 b="c \\" ]"][d@1] ',
        "2025-10-30T09:58:21.123456+00:00 app[web.1]: ",  # Heroku
        "2025-10-30T09:58:21.123456789Z stdout F ",  # what Kubernetes keeps
        "2025-10-30T10:58:21.123456789+01:00 stderr F ",
        "2025-10-30T09:58:21.123456789Z stdout F [2025-10-30 09:58:21 +0000] [7] [INFO] ",
        "2025-10-30T09:58:21.123456789Z ",  # docker logs -t
        "2025-10-30T09:58:21.123456789Z [2025-10-30 09:58:21 +0000] [7] [INFO] ",
        "web-1  | 2025-10-30T09:58:21.123456789Z ",
        "[pod/web-5d8f/nginx] ",
        "[pod/web-5d8f/nginx] 2025-10-30T09:58:21.123456789Z ",
        "web.1.x8k2@node1    | ",  # docker service logs
        "09:58:21 web.1   | ",  # foreman
        "@400000006903361d0a1b2c3d ",  # multilog
        "2025-10-30_09:58:21.12345 ",  # svlogd -tt
        "2025-10-30T09:58:21.12345 ",  # svlogd -ttt
        "2025-10-30 09:58:21.123456789  ",  # s6-log
    ],
)
@pytest.mark.parametrize(("line", "name"), [(LINE, "combined"), (VHOST, "vhost_combined"), (JSON, "json")])
def test_what_a_syslog_or_hypercorn_puts_before_a_line_is_taken_off(
    line: str, name: str, prefix: str
) -> None:
    columns = parse(f"{prefix}{line}\n{prefix}Started server\n{prefix}{line}\n")
    assert (columns.log_format, len(columns), columns.addresses) == (name, 2, ["203.0.113.9"])
    assert columns.key.tolist() == parse(f"{line}\n{line}\n").key.tolist()
    [reject] = columns.rejects
    assert reject.text == f"{prefix}Started server"


def test_a_part_of_a_line_that_was_too_long_for_kubernetes_is_none() -> None:
    stamp = "2025-10-30T09:58:21.123456789Z stdout"
    columns = parse(f"{stamp} F {LINE}\n{stamp} P {LINE}\n{stamp} F {LINE}\n")
    assert (len(columns), [reject.line for reject in columns.rejects]) == (2, [2])


def test_json_behind_a_time_is_not_taken_for_the_name_of_a_program() -> None:
    line = JSON.replace("{", '{"a": 1, ')
    columns = parse(f"2025-10-30T09:58:21Z {line}\n2025-10-30T09:58:21Z shop app: {line}\n")
    assert (columns.log_format, len(columns), columns.rejects) == ("json", 2, [])


def test_a_prefix_is_taken_off_before_a_format_of_ones_own_that_begins_with_an_address() -> None:
    own = '$remote_addr [$time_local] "$request" $status'
    line = '203.0.113.9 [30/Oct/2025:09:58:21 +0000] "GET /fish/ HTTP/1.1" 200'
    columns = parse(f"Oct 30 09:58:21 shop nginx: {line}\n{line}\n", declared=own)
    assert (len(columns), columns.rejects) == (2, [])


def test_a_format_of_ones_own_that_begins_with_a_time_keeps_its_beginning() -> None:
    own = "$time_iso8601 $hostname nginx: $remote_addr $request_uri"
    columns = parse("2025-10-30T09:58:21+00:00 shop nginx: 203.0.113.9 /fish/\n", declared=own)
    assert (len(columns), columns.rejects) == (1, [])


def test_hypercorn_names_the_version_of_the_protocol_alone() -> None:
    lines = [LINE.replace("HTTP/1.1", version) for version in ("1.0", "1.1", "2", "3")]
    columns = parse("\n".join([LINE, *lines, LINE.replace("HTTP/1.1", "4 HTTP/1.1"), ""]))
    assert [columns.page_url(row) for row in range(6)] == ["/fish/?page=2"] * 5 + ["/fish/?page=2%204"]


def test_twisted_writes_addresses_in_quotes() -> None:
    columns = parse(LINE.replace("203.0.113.9", '"203.0.113.9"') + "\n" + LINE + "\n")
    assert (columns.log_format, len(columns), columns.addresses) == ("combined", 2, ["203.0.113.9"])


@pytest.mark.parametrize(
    ("time", "zone", "instant"),
    [
        ("30/Oct/2025:09:58:21", "UTC", AT),
        ("30/Oct/2025:10:58:21", "Europe/Berlin", AT),
        ("30/Oct/2025:10:58:21 CET", "Europe/Berlin", AT),
        ("30/Oct/2025:09:58:21 UTC", "Europe/Berlin", AT),
        ("30/Oct/2025:09:58:21 GMT", "America/New_York", AT),
        ("26/Oct/2025:02:30:00", "Europe/Berlin", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("26/Oct/2025:02:30:00 CEST", "Europe/Berlin", datetime(2025, 10, 26, 0, 30, tzinfo=UTC)),
        ("26/Oct/2025:02:30:00 CET", "Europe/Berlin", datetime(2025, 10, 26, 1, 30, tzinfo=UTC)),
    ],
)
def test_a_time_without_an_offset_is_of_the_zone_of_logs(time: str, zone: str, instant: datetime) -> None:
    columns = parse(f'203.0.113.9:5678 - - [{time}] "GET /fish/?page=2" 200 3\n', zone=zone)
    assert (columns.log_format, instants(columns)) == ("common", [instant])


@pytest.mark.parametrize(
    ("time", "reason"),
    [
        ("30/Mar/2025:02:30:00", "a time that the clock of Europe/Berlin skips"),
        ("30/Mar/2025:02:30:00 CET", "a time that the clock of Europe/Berlin skips"),
        ("30/Oct/2025:09:58:21 CEST", "CEST is not what the clock of LOGS_TIMEZONE, Europe/Berlin, shows"),
        ("30/Oct/2025:09:58:21 PST", "PST is not what the clock of LOGS_TIMEZONE, Europe/Berlin, shows"),
    ],
)
def test_a_time_that_the_zone_of_logs_does_not_have_is_a_reject(time: str, reason: str) -> None:
    columns = parse(f'203.0.113.9 - - [{time}] "GET /fish/ HTTP/1.1" 200 3\n{LINE}\n', zone="Europe/Berlin")
    assert [reject.line for reject in columns.rejects] == [1]
    assert reason in columns.rejects[0].reason


def test_times_of_json_and_of_a_format_of_ones_own_are_of_the_zone_of_logs_too() -> None:
    line = '{"time":"30/Oct/2025:10:58:21","remote_addr":"203.0.113.9","request":"GET /fish/ HTTP/1.1"}'
    assert instants(parse(line + "\n", zone="Europe/Berlin")) == [AT]
    own = "$remote_addr [$time_iso8601] $request_uri"
    log = "203.0.113.9 [2025-10-30T10:58:21] /fish/\n203.0.113.9 [2025-10-30T09:58:21Z] /fish/\n"
    assert instants(parse(log, zone="Europe/Berlin", declared=own)) == [AT, AT]


@pytest.mark.parametrize(
    ("time", "zone"),
    [
        ("2025-10-30 09:58:21 +0000", "Europe/Berlin"),  # Sanic, Ruby
        ("2025-10-30 10:58:21.000 +0100", "UTC"),
        ("2025-10-30T04:58:21 -05:00", "UTC"),
        ("2025-10-30 09:58:21 UTC", "Europe/Berlin"),  # Ruby
    ],
)
def test_a_space_may_stand_before_the_offset_of_a_time(time: str, zone: str) -> None:
    line = JSON.replace("2025-10-30T09:58:21Z", time)
    assert instants(parse(f"{line}\n{line}\n", zone=zone)) == [AT, AT]
    own = "$x |$time_iso8601 INFO: $remote_addr $request_method $request_uri $status"
    line = f"Main |{time} INFO: 203.0.113.9:5678 GET http://shop.example/fish/ 200"
    assert instants(parse(f"{line}\n{line}\n", zone=zone, declared=own)) == [AT, AT]


def test_tomcat_writes_times_in_brackets_in_json_too() -> None:
    line = JSON.replace("2025-10-30T09:58:21Z", "[30/Oct/2025:10:58:21 +0100]")
    assert instants(parse(f"{line}\n{line}\n")) == [AT, AT]


@pytest.mark.parametrize("mixes", [False, True])
def test_hapi_writes_methods_in_small_letters(mixes: bool) -> None:
    line = JSON.replace('"request":"GET /fish/ HTTP/1.1"', '"method":"get","url":"/fish/","status":200')
    upper = line.replace('"get"', '"GET"')
    columns = parse(f"{upper if mixes else line}\n{line}\n" + line.replace('"get"', '"head"') + "\n")
    assert columns.method is not None
    methods = [columns.methods[index] for index in columns.method.tolist()]
    assert (methods, [KINDS[kind] for kind in columns.kind]) == (
        ["GET", "GET", "HEAD"],
        ["category", "category", "other"],
    )


def test_a_method_of_a_request_keeps_its_letters() -> None:
    columns = parse(f"{LINE}\n" + LINE.replace("GET", "get") + "\n")
    assert columns.method is not None
    assert [columns.methods[index] for index in columns.method.tolist()] == ["GET", "get"]


def test_a_line_that_is_cut_in_a_time_without_an_offset_is_two_requests() -> None:
    for cut in ("[30/Oct/2025:09:58:21] ", "[30/Oct/2025:09:58:21]", "[30/Oct/2025:09:58:21 CE"):
        columns = parse(f"203.0.113.9 - - {cut}{LINE}\n{LINE}\n")
        assert [reject.reason for reject in columns.rejects] == ["combined: two requests stand on one line"]


# Rack::CommonLogger adds the seconds that an answer took.
RACK = '203.0.113.9 - - [30/Oct/2025:09:58:21 +0000] "GET /fish/ HTTP/1.1" 200 2 0.0012'


def test_more_fields_may_follow_the_size_of_a_common_line() -> None:
    columns = parse(f"{RACK}\n{RACK} 7\n{LINE}\n{RACK} \n")
    assert (columns.log_format, len(columns), columns.rejects) == ("common", 4, [])
    assert columns.agents == ["curl/7.88.1"]


def test_another_request_in_those_fields_is_a_reject() -> None:
    columns = parse(f"{RACK} {RACK}\n{RACK}\n")
    assert [reject.reason for reject in columns.rejects] == ["common: two requests stand on one line"]


@pytest.mark.parametrize("line", [LINE, VHOST])
def test_a_quote_in_a_request_that_werkzeug_has_decoded_is_named(line: str) -> None:
    [reject] = parse(f"{line}\n" + line.replace("page=2", 'q="x"') + "\n").rejects
    assert "a quote in the request, referrer or agent is not escaped" in reject.reason


@pytest.mark.parametrize(
    "time",
    [
        "30/Oct/2025 10:58:21",  # Python's http.server, Werkzeug, eventlet
        "2025-10-30 10:58:21",  # gevent
    ],
)
def test_times_of_servers_written_in_python_are_those_of_the_zone(time: str) -> None:
    line = f'127.0.0.1 - - [{time}] "GET /fish/ HTTP/1.1" 200 106 0.022233'
    columns = parse(f"{line}\n{line.replace('fish', 'caviar')}\n", zone="Europe/Berlin")
    assert (columns.log_format, instants(columns), columns.rejects) == ("common", [AT, AT], [])


@pytest.mark.parametrize("time", ["30/Oct/2025 10:58:21", "2025-10-30 10:58:21"])
def test_such_lines_are_not_read_by_half_where_one_is_cut_in_its_time(time: str) -> None:
    line = f'127.0.0.1 - - [{time}] "GET /fish/ HTTP/1.1" 200 106'
    begin = line.index("[") + 1
    for length in range(len(time)):
        columns = parse(f"{line}\n{line[: begin + length]}{line}\n")
        assert (len(columns), len(columns.rejects)) == (1, 1), length


@pytest.mark.parametrize(
    ("text", "is_told"),
    [
        ('"-" "Käse "1" (x)"', True),
        ('"https://search.example/?q="salmon"" "curl/7.88.1"', True),
        ('"-" "-" "a "b" c"', False),  # in what may follow the agent: the line is read
        ('"-" "curl/7.88.1', False),  # cut
        ('"-" "back\\"', False),
        ('"-"', False),
        ("OK", False),
    ],
)
@pytest.mark.parametrize("line", [LINE, VHOST])
def test_a_quote_that_webrick_or_morgan_has_not_escaped_is_named(line: str, text: str, is_told: bool) -> None:
    log = f"{line}\n" + line.replace('"-" "curl/7.88.1"', text) + "\n"
    reasons = [reject.reason for reject in parse(log).rejects]
    assert (
        any("a quote in the request, referrer or agent is not escaped" in reason for reason in reasons)
        == is_told
    )


@pytest.mark.parametrize("text", ['"-" "back\\"', '"-" "back\\" 0.01', '"back\\"', '"-" "a \\"b'])
@pytest.mark.parametrize("line", [LINE, VHOST])
def test_a_backslash_before_the_last_quote_is_named(line: str, text: str) -> None:
    [reject] = parse(f"{line}\n" + line.replace('"-" "curl/7.88.1"', text) + "\n").rejects
    assert (
        "the last quote stands behind a backslash: that is not escaped, or the line is cut" in reject.reason
    )


def test_a_quote_that_is_not_escaped_is_named_in_a_format_of_ones_own_too() -> None:
    own = '$remote_addr [$time_local] "$request" $status "$http_user_agent"'
    line = '203.0.113.9 [30/Oct/2025:09:58:21 +0000] "GET /fish/ HTTP/1.1" 200 "curl"'
    others = [line.replace("curl", 'say "hi"'), line.replace("200", "OK"), line.replace("200", '\\" 200')]
    columns = parse("\n".join([line, *others, ""]), declared=own)
    are_named = ["is not escaped" in reject.reason for reject in columns.rejects]
    assert are_named == [True, False, False]
