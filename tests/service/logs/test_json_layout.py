"""Layouts of JSON lines: what they are inferred from, and that lines which have one are read by it."""

from collections.abc import Callable
from datetime import datetime

import pytest

from service.logs.assembly import Columns
from service.logs.chunk_text import ChunkText, Places
from service.logs.json_columns import JsonReader
from service.logs.json_format import PATHS
from service.logs.json_layout import infer_layout
from service.logs.json_layouts import LAYOUT_LIMITS
from tests.support.standard_lines import Fields, as_nginx, as_traefik, parse

TIME = '"time":"2018-08-01T00:01:35+02:00"'
REST = '"ip":"8.8.8.8","url":"/"'
GOOD = Fields(
    *("8.8.8.8", "bob", 9, "+0000", "GET", "/fresh_fish/?page=2", " HTTP/1.1", "200", "2326"),
    *("https://a.example/", "Mozilla/5.0 (X11)", ""),
)


def test_texts_and_numbers_are_the_fields_of_a_layout() -> None:
    line = f'{{{TIME}, "took":0.5,"x":[true,null,"y",{{"ip":"z"}}],"ip":"8.8.8.8","url":"/","status":200}}'
    layout = infer_layout(line, list(PATHS.values()))
    assert layout is not None
    assert layout.begin == '{"time":"'
    assert [(item.role, item.is_read, item.is_number, item.text) for item in layout.fields] == [
        ("iso_time", True, False, '", "took":'),
        ("other", False, True, ',"x":[true,null,"'),
        ("other", False, False, '",{"ip":"'),
        ("other", False, False, '"}],"ip":"'),
        ("address", True, False, '","url":"'),
        ("url", True, False, '","status":'),
        ("status", True, True, "}"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        f"{{{TIME},{REST}",
        f"[{{{TIME},{REST}}}]",
        f"{{{REST}}}",
        f'{{{TIME},"ip":"8.8.8.8"}}',
        f'{{"time":"today",{REST}}}',
        f'{{"time":1533000000,{REST}}}',
        f'{{{TIME},"ip":8,"url":"/"}}',
        f'{{{TIME},{REST},"status":null}}',
        f'{{{TIME},{REST},"status":200,"status":404}}',
        f'{{{TIME},{REST},"status":200,"status":null}}',
        f'{{{TIME},{REST},"method":"GET","x":{{}},"method":null}}',
        f'{{{TIME},{REST},"x":"\\u0041"}}',
        f"{{{TIME},{REST}}}\t",
        f'{{{TIME},{REST},"x":[{",".join(["1"] * 70)}]}}',
    ],
)
def test_a_line_that_tells_not_what_others_are_has_no_layout(line: str) -> None:
    assert infer_layout(line, list(PATHS.values())) is None


@pytest.mark.parametrize("write", [as_nginx, as_traefik])
def test_lines_that_have_a_layout_need_no_parser_of_json(
    write: Callable[[Fields], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    row_counts: list[int] = []
    read_others = JsonReader.read

    def read_and_count(reader: JsonReader, text: ChunkText, rows: Places, now: datetime) -> Columns:
        row_counts.append(len(rows))
        return read_others(reader, text, rows, now)

    monkeypatch.setattr(JsonReader, "read", read_and_count)
    line = write(GOOD)
    odd = line.replace("8.8.8.8", "8.8.8.\\u0038")
    log = "\n".join([*[line] * LAYOUT_LIMITS.lines, odd]).encode()
    assert sum(part.lines for part in parse(log, state="json")) == LAYOUT_LIMITS.lines + 1
    assert sum(row_counts) == 1


@pytest.mark.parametrize(
    ("usual", "odd", "agent"),
    [
        ("Mozilla/5.0 (X11)", "Mozilla \\u0035", "Mozilla 5"),
        ("Mozilla/5.0 (X11)", "https:\\/\\/bot", "https://bot"),
        ("bob", "b\\u006fb", "Mozilla/5.0 (X11)"),
        ("bob", "b\\qb", None),  # no escape of JSON, though in a field that is not read
        ("bob", "bob\\", None),
    ],
)
def test_a_line_with_a_backslash_is_read_as_json_among_lines_that_have_a_layout(
    usual: str, odd: str, agent: str | None
) -> None:
    line = as_nginx(GOOD)
    assert line.count(usual) == 1
    log = "\n".join([*[line] * LAYOUT_LIMITS.lines, line.replace(usual, odd), line, ""]).encode()
    [part] = parse(log, state="json")
    assert part.agent is not None
    agents = [part.agents[number] for number in part.agent.tolist()]
    expected = [GOOD.agent] * (LAYOUT_LIMITS.lines + 1)
    assert agents == (expected if agent is None else [*expected[:-1], agent, expected[-1]])
    assert [reject.line for reject in part.rejects] == ([LAYOUT_LIMITS.lines + 1] if agent is None else [])
