"""JSON lines in columns: most need no grammar each, whatever fields they have."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest

from service.logs.chunks import Chunk, Position
from service.logs.json_format import JsonFormat
from service.logs.standard_columns import StandardParser
from service.logs.standard_line import StandardLine
from service.logs.url_rules import Rules
from tests.support.standard_lines import NOW, Fields, as_caddy, as_json, make_format, parse


@pytest.mark.parametrize("write", [as_json, as_caddy])
def test_most_json_lines_do_not_need_the_grammar_each(
    write: Callable[[Fields], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []
    parse_one = JsonFormat.parse

    def parse_and_count(
        log_format: JsonFormat, raw: bytes, rules: Rules | None, now: datetime
    ) -> StandardLine:
        calls.append(raw)
        return parse_one(log_format, raw, rules, now)

    monkeypatch.setattr(JsonFormat, "parse", parse_and_count)
    good = Fields(
        *("8.8.8.8", "-", 1, "+0000", "GET", "/fresh_fish/?page=2", " HTTP/1.1", "200", "2326"),
        *("https://a.example/", "Mozilla/5.0 (X11)", ""),
    )
    lines = [
        good,
        good._replace(second=3),
        good._replace(agent="Käse \\", url="/caviar/"),
        good._replace(referrer=""),
    ]
    log = "\n".join(write(line) for line in lines).encode() + b"\nrubbish\n"
    [part] = parse(log, state="json")
    assert (len(part), calls) == (4, [b"rubbish"])


def test_a_log_whose_fields_change_is_read_in_columns_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shape is inferred again from the chunk after the one whose lines did not have it."""
    good = {"ts": 1533081600.125, "ip": "8.8.8.8", "path": "/", "agent": "curl/8"}
    other = {"time": "2018-08-01T00:00:00Z", "remote_addr": "8.8.8.8", "uri": "/", "agent": "curl/8"}
    parser, calls = StandardParser(make_format("json"), None), []
    parse_one = JsonFormat.parse

    def parse_and_count(
        log_format: JsonFormat, raw: bytes, rules: Rules | None, now: datetime
    ) -> StandardLine:
        calls.append(raw)
        return parse_one(log_format, raw, rules, now)

    monkeypatch.setattr(JsonFormat, "parse", parse_and_count)
    counts = []
    for record in (good, other, other):
        log = (json.dumps(record) + "\n").encode() * 20
        parser.parse(Chunk(log, 0, 1, Position.start()), now=NOW)
        counts.append(len(calls))
    assert counts == [0, 20, 20]
