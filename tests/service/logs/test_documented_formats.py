"""The lines of docs/logs.md are of the formats that they are shown for."""

import io
import re
from datetime import UTC
from pathlib import Path

import pytest

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions
from service.logs.log_parser import LogParser
from service.logs.nginx_format import BUILT_IN, read_format
from tests.support.log_imports import NOW

DOCUMENT = (Path(__file__).parents[3] / "docs/logs.md").read_text(encoding="utf-8")
SECTION = re.compile(r"^### (\w+)\n.*?^```\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = SECTION.findall(DOCUMENT)


def test_each_format_but_the_shops_has_an_example() -> None:
    assert [name for name, _ in EXAMPLES] == [name for name in BUILT_IN if name != "shop"]


@pytest.mark.parametrize(("name", "lines"), EXAMPLES)
def test_an_example_is_of_its_format(name: str, lines: str) -> None:
    for line in lines.splitlines() if name != "w3c" else [lines]:
        [chunk] = LogFile(io.BytesIO(f"{line}\n".encode())).chunks()
        columns = LogParser(FormatOptions(UTC)).parse(chunk, now=NOW)
        assert columns is not None
        assert (columns.log_format, len(columns), columns.rejects) == (name, 1, [])
        assert (columns.addresses, columns.pages[0].category) == (["203.0.113.9"], "fish")


def test_the_format_of_ones_own_is_one_and_so_is_that_to_paste() -> None:
    [own] = re.findall(r"^LOGS_FORMAT='(.*)'$", DOCUMENT, re.MULTILINE)
    assert not isinstance(read_format(own), str)
    [directive] = re.findall(r"`(log_format trawl .*?;)`", DOCUMENT)
    fields = read_format(directive)
    assert isinstance(fields, dict)
    assert fields["address"] == "remote_addr"
