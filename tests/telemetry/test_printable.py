"""Text of visitors and file names on a terminal: shown, never obeyed."""

import json
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.printable import printable, printable_json, printable_lines
from tests.support.command_line import PROJECT

OBEYED = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x9b2J\x7f", r"\x9b2J\x7f"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\ud800", r"\ud800"),
        ("[red]x[/red] :warning:", "[red]x[/red] :warning:"),
        ("рыба 🐟 é", "рыба 🐟 é"),
        ("", ""),
    ],
)
def test_control_characters_are_shown(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters()))
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    assert not OBEYED.search(printable(text))
    assert set(OBEYED.findall(printable_lines(text))) <= {"\n", "\t"}


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_stays_the_same_value(text: str) -> None:
    line = printable_json(json.dumps({"x": text}, ensure_ascii=False))
    assert json.loads(line) == {"x": text}
    assert not OBEYED.search(line.replace("\x7f", ""))


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_a_log_on_a_terminal_shows_control_characters(log_format: str) -> None:
    script = (
        "import logging, structlog, sys; from telemetry.logs import configure_logging\n"
        "configure_logging('INFO', sys.argv[1])\n"
        "try:\n  raise ValueError('\\x9b2J first\\nsecond')\n"
        "except ValueError:\n  structlog.get_logger('x').error('fai\\x9b2Jled', a='\\x9b3J', exc_info=True)\n"
        "logging.getLogger('y').warning('old \\x9b4J')\n"
    )
    command = [sys.executable, "-c", script, log_format]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, check=True)
    text = process.stderr.decode()
    for number in (2, 3, 4):
        assert re.search(rf"\\(x|u00)9b{number}J", text), text
    assert "\x9b" not in text
    assert "\x1b" not in text, "colours, though this is not a terminal"
