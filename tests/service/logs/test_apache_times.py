"""Times as Apache's %{...}t has written them, beside its usual ones."""

import io
from datetime import UTC, datetime

import pytest

from calendar_days import microseconds
from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.log_parser import LogParser
from tests.support.log_imports import NOW

AT = datetime(2025, 11, 30, 20, 11, 24, 107_000, UTC)
LINE = '203.0.113.9 - - [30/Nov/2025:21:11:24.107 +0100] "GET /fish/ HTTP/1.1" 200 3 "-" "curl/7.88.1"'


def parse(log: str, declared: str | None = None) -> LineColumns:
    [chunk] = LogFile(io.BytesIO(log.encode())).chunks()
    columns = LogParser(FormatOptions(UTC, declared=declared)).parse(chunk, now=NOW)
    assert columns is not None
    return columns


@pytest.mark.parametrize(
    ("log_format", "line"),
    [
        (None, LINE),
        (None, f"shop.example:443 {LINE}"),
        ("$remote_addr [$time_local] $request_uri", "203.0.113.9 [30/Nov/2025 21:11:24.107 +0100] /fish/"),
        ("$remote_addr [$time_local] $request_uri", "203.0.113.9 [30/Nov/2025:20:11:24.107] /fish/"),
        (
            "$time_iso8601 $remote_addr $request_uri",
            "2025-11-30T21:11:24.107999+0100 203.0.113.9:53462 /fish/",
        ),
        ("$msec|$remote_addr|$request_uri", "1764533484107|203.0.113.9|/fish/"),  # %{msec}t
        ("$msec|$remote_addr|$request_uri", "1764533484107123|203.0.113.9|/fish/"),  # %{usec}t
        ("$msec|$remote_addr|$request_uri", "1764533484.107|203.0.113.9|/fish/"),
    ],
)
def test_parts_of_seconds_are_read(log_format: str | None, line: str) -> None:
    columns = parse(f"{line}\n{line}\n", log_format)
    assert (len(columns), columns.rejects, columns.addresses) == (2, [], ["203.0.113.9"])
    assert {at - at % 1000 for at in columns.occurred.tolist()} == {microseconds(AT)}


def test_a_line_that_is_cut_within_its_second_is_two_requests() -> None:
    for end in range(LINE.index("[") + 1, LINE.index('"')):
        columns = parse(f"{LINE[:end]}{LINE}\n{LINE}\n")
        assert [reject.line for reject in columns.rejects] == [1], LINE[:end]
