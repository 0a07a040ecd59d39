"""The format of a log is that of the first line that fits one, wherever that stands."""

import io
from datetime import UTC

import pytest

from service.errors import UnknownFormat
from service.logs.chunks import LogFile
from service.logs.detect import TRIED_LINES, find_first_line
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from service.logs.nginx_format import FormatError
from tests.support.log_imports import NOW, some_lines

COMMON = b'203.0.113.9 - - [28/Nov/2025:10:00:00 +0000] "GET /caviar/ HTTP/1.1" 200 3'
COMBINED = COMMON + b' "-" "a"'
VHOST = b"shop.example:80 " + COMBINED
NGINX = (
    b'{"time_local":"28/Nov/2025:10:02:00 +0000","remote_addr":"203.0.113.9",'
    b'"request":"GET /caviar/ HTTP/1.1","status":"200"}'
)
CADDY = (
    b'{"level":"info","ts":1764324200.1,"logger":"http.log.access","msg":"handled request","request":'
    b'{"remote_ip":"203.0.113.9","method":"GET","host":"shop.example","uri":"/caviar/"},"status":200}'
)
W3C = (
    b"#Version: 1.0\n#Fields: date time cs-method cs-uri-stem c-ip sc-status\n"
    b"2025-11-28 10:03:00 GET /caviar/ 203.0.113.9 200"
)
EXTENDED = COMBINED + b' "198.51.100.4" rt=0.003 uct="0.001"'
TALK = b"/docker-entrypoint.sh: Configuration complete\n2025/11/28 14:00:00 [notice] 1#1: start worker\n"


def parse(
    log: bytes, *, chunk_bytes: int = 1 << 20, declared: str | None = None
) -> tuple[LogParser, list[LineColumns]]:
    parser = LogParser(FormatOptions(UTC, declared=declared))
    file = LogFile(io.BytesIO(log), accept_partial_line=True, chunk_bytes=chunk_bytes)
    parts = [parser.parse(chunk, now=NOW) for chunk in file.chunks()]
    parser.finish()
    return parser, [part for part in parts if part is not None]


@pytest.mark.parametrize(
    ("line", "name"),
    [
        (COMMON, "common"),
        (COMBINED, "combined"),
        (VHOST, "vhost_combined"),
        (b":80 " + COMBINED, "vhost_combined"),
        (NGINX, "json"),
        (CADDY, "json"),
        (W3C, "w3c"),
        (EXTENDED, "combined"),
        (some_lines(1).rstrip(), "shop"),
    ],
)
@pytest.mark.parametrize("before", [b"", b"\n \n", TALK * 1_000, b"\0" * 70_000, b"\xef\xbb\xbf"])
@pytest.mark.parametrize("chunk_bytes", [500, 1 << 20])
def test_a_log_of_each_format_is_read_whatever_stands_before_it(
    line: bytes, name: str, before: bytes, chunk_bytes: int
) -> None:
    log = before + line + b"\n" + line.rpartition(b"\n")[2].replace(b"caviar", b"soups") + b"\n"
    parser, parts = parse(log, chunk_bytes=chunk_bytes)
    assert sum(len(part) for part in parts) == 2 - (name == "shop")  # the shop's has the same key
    assert {part.log_format for part in parts} == {name}
    rejects = [reject for part in parts for reject in part.rejects]
    talk = log[: log.index(line)].count(b"\n") if before.startswith(b"/") else 0
    assert [reject.line for reject in rejects] == list(range(1, talk + 1))
    assert all(reject.reason.startswith(f"{name}: ") for reject in rejects)
    assert parser.state is not None
    assert parser.state.partition(" ")[0] == name


def test_a_log_none_of_whose_first_lines_fits_is_of_no_format_and_the_known_ones_are_named() -> None:
    log = b"rubbish\n\n" * TRIED_LINES + COMBINED + b"\n"
    with pytest.raises(UnknownFormat, match=r"none of the first 10,000 .* shop, common, combined, vhost_"):
        parse(log)
    with pytest.raises(UnknownFormat, match="none of the first 10,000 "):
        parse(log, chunk_bytes=1000)
    parse(b"rubbish\n\n" * (TRIED_LINES - 1) + COMBINED + b"\n")


@pytest.mark.parametrize("log", [b"rubbish", b"one\ntwo\n", b"2018-08-01 00:00:00 [AAAAAAAA] INFO: x"])
def test_a_short_log_of_no_format_is_none_either(log: bytes) -> None:
    with pytest.raises(UnknownFormat, match="a known format: shop"):
        parse(log)


@pytest.mark.parametrize("log", [b"", b"\n \n", b"\0\0\n", b"#Software: IIS\n#Fields: date time\n"])
def test_a_log_without_lines_needs_no_format(log: bytes) -> None:
    assert parse(log)[1] == []


def test_a_declared_format_is_the_only_one() -> None:
    declared = '$remote_addr "$request" $msec'
    line = b'8.8.8.8 "GET /caviar/ HTTP/1.1" 1533081695.250\n'
    [part] = parse(COMBINED + b"\n" + line, declared=declared)[1]
    assert (part.log_format, len(part), part.rejects[0].line) == ("custom", 1, 1)
    assert part.occurred.tolist() == [1533081695250000]
    with pytest.raises(UnknownFormat, match="does not fit the format combined"):
        parse(line, declared="combined")
    with pytest.raises(FormatError, match="neither shop, common"):
        parse(line, declared="combned")


def test_fields_may_be_named_anew_in_the_middle_of_a_chunk_and_are_kept_for_what_follows() -> None:
    log = W3C + b"\n#Fields: c-ip date time cs-uri-stem\n8.8.8.8 2025-11-28 10:04:00 /soups/\n"
    parser, parts = parse(log)
    assert sum(len(part) for part in parts) == 2
    assert parser.state == "w3c c-ip date time cs-uri-stem"
    resumed = LogParser(FormatOptions(UTC), state=parser.state)
    more = LogFile(io.BytesIO(b"8.8.4.4 2025-11-28 10:05:00 /soups/\nx\n")).chunks()
    columns = resumed.parse(next(more), now=NOW)
    assert columns is not None
    assert (columns.addresses, columns.rejects[0].reason) == (
        ["8.8.4.4"],
        "w3c: not a line of the w3c log format",
    )


def test_a_log_that_an_old_version_has_left_is_known_by_its_beginning() -> None:
    file = LogFile(io.BytesIO(COMBINED + b"\n"))
    list(file.chunks())
    grown = LogFile(io.BytesIO(COMBINED + b"\nrubbish\n"))
    assert grown.skip_to(file.position)
    [chunk] = grown.chunks()
    columns = LogParser(FormatOptions(UTC)).parse(chunk, now=NOW)
    assert columns is not None
    assert [reject.reason for reject in columns.rejects] == [
        "combined: not a line of the combined log format"
    ]


def test_a_file_is_known_by_its_first_line_that_fits() -> None:
    def first_line(log: bytes, declared: str | None = None) -> bytes | None:
        return find_first_line(LogFile(io.BytesIO(log)), FormatOptions(UTC, declared=declared))[0]

    assert first_line(TALK + b"\0\0" + COMBINED + b"\n" + COMMON + b"\n") == COMBINED
    assert first_line(W3C + b"\n") == W3C.rpartition(b"\n")[2]
    assert first_line(TALK) is None
    assert first_line(b"rubbish\n" * TRIED_LINES + COMBINED + b"\n") is None
    assert first_line(COMBINED + b"\n", "shop") is None
