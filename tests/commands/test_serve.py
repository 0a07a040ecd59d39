"""`main.py serve`: what it prints from its start to its end."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from commands.serve import CREATE_ADMIN, create_admin
from config import read_settings
from demo.__main__ import describe_commands
from tests.support.command_line import PASSWORD, Command, free_port, wait_until_ready
from tests.support.processes import PATIENCE, children, command_of, eventually, send_signal


def print_and_stop(process: subprocess.Popen[str]) -> tuple[list[str], list[str]]:
    """Stop a server; returns the lines of its output and of its error output."""
    process.terminate()
    output, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    return output.splitlines(), errors.splitlines()


@pytest.mark.slow
def test_every_line_of_a_start_and_a_stop_is_a_json_object(short_dir: Path) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    trawl = Command({"DATA_DIR": str(short_dir), "PORT": str(port), "WORKERS": "1"})
    process = trawl.start(LOG_FORMAT="json", LOG_LEVEL="DEBUG")
    try:
        wait_until_ready(url)
        before = children(process.pid)
        programs = ("main.py", "postgres")
        mortal = [pid for pid in before if any(program in command_of(pid) for program in programs)]
        send_signal(mortal, signal.SIGKILL)
        assert eventually(lambda: len(set(children(process.pid)) - set(before)) == 2)
        wait_until_ready(url)
        output, errors = print_and_stop(process)
    finally:
        process.kill()
        process.communicate()
    lines = [json.loads(line) for line in (*output, *errors)]
    assert all({"time", "level", "event"} <= line.keys() for line in lines)
    assert (lines[0]["event"], lines[0]["url"]) == (f"Trawl is serving on {url}", url)
    assert lines[1]["url"] == f"{url}/dashboard"
    assert "worker 1 ended: signal 9; starting it again" in [line["event"] for line in lines]


@pytest.mark.slow
def test_a_console_is_told_in_words_where_it_serves(trawl: Command) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.start(LOG_FORMAT="console", PORT=str(port), WORKERS="1")
    try:
        wait_until_ready(url)
        output, errors = print_and_stop(process)
    finally:
        process.kill()
        process.communicate()
    assert output[:2] == [f"Trawl is serving on {url}", f"the dashboard is at {url}/dashboard"]
    assert output[2].startswith("there is no account yet: ")
    assert "main.py create-admin" in output[2]
    assert "sign up on that page" in output[2]
    assert trawl.run("create-admin", "root", text=f"{PASSWORD}\n")[0] == 0
    process = trawl.start(LOG_FORMAT="console", PORT=str(port), WORKERS="1", DEBUG="true")
    try:
        wait_until_ready(url)
        output, more_errors = print_and_stop(process)
    finally:
        process.kill()
        process.communicate()
    assert len(output) == 2
    # Settings are many, and stand before what a person looks for: only who debugs gets them.
    has_settings = [any("registration" in line for line in lines) for lines in (errors, more_errors)]
    assert has_settings == [False, True]


def test_the_demonstration_says_how_commands_find_it() -> None:
    assert describe_commands("var/demo").endswith(": DATA_DIR=var/demo .venv/bin/python main.py …")


def test_the_command_for_the_first_admin_names_the_data_folder_unless_it_is_the_default() -> None:
    assert create_admin(read_settings({"DATA_DIR": "./var"})) == CREATE_ADMIN
    folder = Path("var/my demo").absolute()
    assert create_admin(read_settings({"DATA_DIR": "var/my demo"})) == f"DATA_DIR='{folder}' {CREATE_ADMIN}"
    own = {"DATA_DIR": "var/demo", "DATABASE_URL": "postgresql://user@host/trawl"}
    assert create_admin(read_settings(own)) == CREATE_ADMIN
