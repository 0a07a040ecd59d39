"""What commands print of logs and file names: markup and control characters are shown, not obeyed."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from commands import import_logs
from tests.support.command_line import Command

RULES = """
[[page]]
kind = "product"
path = "/p"
category = "c"
product = "p"
[[page]]
kind = "cart"
path = "/cart"
[[page]]
kind = "pay"
path = "/pay"
[[page]]
kind = "success"
path = "/ok/(?P<cart_id>[0-9]+)"
"""
PATHS = (
    "/p?c=fish&p=a",
    "/cart?goods_id=1&amount=1&cart_id=1",
    "/p?c=%1b%5b31m%5bred%5dx%5b/%5d:fish:%c2%9b&p=b",
    "/cart?goods_id=2&amount=1&cart_id=1",
    "/pay?user_id=1&cart_id=1",
    "/ok/1",
)
CATEGORY = "\x1b[31m[red]x[/]:fish:\x9b"
SHOWN = r"\x1b[31m[red]x[/]:fish:\x9b"
NAME = "\x1b[2J[red]b :fish:.log"
SHOWN_NAME = r"\x1b[2J[red]b :fish:.log"


def log_of(*paths: str) -> str:
    lines = enumerate(paths)
    return "".join(
        f'8.8.8.8 - - [01/Aug/2018:00:00:{second:02} +0000] "GET {path} HTTP/1.1" 200 12\n'
        for second, path in lines
    )


def test_text_of_a_log_is_shown_by_import_report_and_doctor(trawl: Command, tmp_path: Path) -> None:
    rules, log = tmp_path / "rules.toml", tmp_path / NAME
    rules.write_text(RULES)
    log.write_text(log_of(*PATHS) + "\x1b[2Jno such line\n")
    code, output, errors = trawl.run("import", "--rules", str(rules), str(log))
    assert code == 0
    assert output.startswith(f"{SHOWN_NAME}: 7 lines: 6 imported")
    assert errors.startswith(f"{SHOWN_NAME}:7: ")
    code, table, _ = trawl.run("report", "5", "category=fish")
    assert (code, SHOWN in table) == (0, True)
    code, body, _ = trawl.run("report", "5", "category=fish", "--json")
    assert (code, json.loads(body)["rows"][0]["category"]) == (0, CATEGORY)
    _, findings, _ = trawl.run("doctor", LOGS_FILE=str(log))
    assert SHOWN_NAME in findings
    code, _, failure = trawl.run("import", str(tmp_path / f"no{NAME}"))
    assert (code, f"no{SHOWN_NAME}" in failure) == (1, True)
    for text in (output, errors, table, body, findings, failure):
        assert not {"\x1b", "\x9b"} & set(text)


def test_the_progress_bar_shows_a_file_name_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(import_logs, "err", Console(file=screen, force_terminal=True, width=200))
    with import_logs.import_progress(NAME):
        pass
    assert SHOWN_NAME in screen.getvalue()
