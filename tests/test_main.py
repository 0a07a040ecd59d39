"""The command line, as its users run it: each command a process of its own."""

import json
import re
import signal
import socket
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from main import GARBAGE_THRESHOLDS, cli
from tests.support.command_line import PASSWORD, PROJECT, Command, call, free_port, wait_until_ready
from tests.support.embedded_processes import postgres_pids, valkey_pids
from tests.support.processes import PATIENCE, eventually, patience
from tests.support.shop_lines import LOG, one_line
from version import VERSION


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "shop.log"
    path.write_text(LOG)
    return path


@pytest.fixture
def invoke(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a command line that ends before it reads a setting, in this process, which is fast."""
    monkeypatch.setenv("COLUMNS", "100")
    return partial(CliRunner().invoke, cli)


def test_every_command_tells_what_it_takes(invoke: Callable[..., Result]) -> None:
    words = {
        "": "create-admin",
        "serve": "HOST:PORT",
        "import": "standard input",
        "import-events": "NDJSON",
        "report": "--json",
        "create-admin": "login",
        "set-password": "login",
        "refresh-favourites": "favourite",
        "migrate": "database",
    }
    for name, word in words.items():
        result = invoke([*name.split(), "--help"])
        assert (result.exit_code, result.stderr) == (0, ""), name
        assert word in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["import", "--help"], ["report", "--help"]])
def test_help_imports_no_command(arguments: list[str]) -> None:
    code = "import runpy, sys; sys.argv = sys.argv[1:]\n"
    code += "try: runpy.run_path('main.py', run_name='__main__')\n"
    code += "finally: print(*sys.modules, file=sys.stderr)\n"
    command = [sys.executable, "-c", code, "main.py", *arguments]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert "Usage" in ended.stdout
    # pydantic is what typer reads arguments with: help must not need it.
    assert {"commands", "bootstrap", "config", "pydantic"} & set(ended.stderr.split()) == set()


@pytest.mark.slow
def test_each_command_imports_what_it_needs_itself() -> None:
    """Other tests run commands in an interpreter that has imported the others, too.

    Each is imported by a fork of an interpreter that has imported the largest libraries of all.
    """
    names = sorted(path.stem for path in (PROJECT / "commands").glob("[!_]*.py"))
    code = "import importlib, os, sys, main, asyncpg, marshmallow, sqlalchemy.ext.asyncio, structlog\n"
    code += "for name in sys.argv[1:]:\n"
    code += "    if not os.fork(): importlib.import_module(f'commands.{name}'); os._exit(0)\n"
    code += "    if os.wait()[1]: sys.exit(f'{name} fails')"
    command = [sys.executable, "-c", code, *names]
    ended = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=patience(), check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.slow
def test_commands_that_serve_nothing_import_no_server() -> None:
    modules = "accounts, database, doctor, films, import_logs, report"
    code = f"import sys; from commands import {modules}; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    process = subprocess.run(
        command, cwd=PROJECT, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert {"sanic", "granian", "transport.app", "aiohttp"} & set(process.stdout.split()) == set()


@pytest.mark.slow
def test_what_a_server_imports_before_its_workers_are_forked_starts_no_threads() -> None:
    code = "import os, sys; from commands import serve; from transport.app import all_routes\n"
    code += "all_routes(); print(len(os.listdir('/proc/self/task')), *sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", code],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    threads, *modules = process.stdout.split()
    assert threads == "1"
    # Workers share these: no first statistic waits for an import, or takes one for complete that is not.
    needed = {
        "service.columns.counts",
        "service.visits.lists",
        "service.events.funnel",
        "service.reports.carts",
    }
    assert {"numpy", *needed} <= set(modules)


@pytest.mark.slow
def test_help_is_a_process_that_leaves_nothing(short_dir: Path) -> None:
    code, output, errors = Command({"DATA_DIR": str(short_dir)}).run("--help")
    assert (code, errors) == (0, "")
    assert "create-admin" in output
    assert not short_dir.exists()


def test_the_version_is_reported(invoke: Callable[..., Result]) -> None:
    assert invoke(["--version"]).stdout == f"trawl {VERSION}\n"
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    changes = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert changes is not None
    assert (declared, changes[1]) == (VERSION, VERSION)


def test_a_wrong_port_of_the_command_line_is_reported_in_one_line(trawl: Command) -> None:
    for arguments in (["--port", "eight"], ["serve", "--port", "eight"]):
        code, output, errors = trawl.run(*arguments, LOG_FORMAT="console", LOG_LEVEL="ERROR")
        assert (code, output) == (1, "")
        assert all(word in one_line(errors) for word in ("PORT", "'eight'", "65535"))


def test_an_unknown_report_is_refused(invoke: Callable[..., Result]) -> None:
    result = invoke(["report", "9"])
    assert result.exit_code == 2
    assert "there is no report 9, but these:" in result.stderr
    titles = [line.strip() for line in result.stderr.splitlines()[-7:]]
    assert [title[0] for title in titles] == list("1234567")
    assert titles[3] == "4 What is the most requests in a clock hour?"


def test_an_admin_is_made_with_a_password_from_standard_input(trawl: Command) -> None:
    code, output, errors = trawl.run("create-admin", "Root", text=f"{PASSWORD}\n")
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"Root is an admin \(id \d+\)\n", output)
    code, _, errors = trawl.run("create-admin", "other", text="short\n")
    assert code == 1
    assert "password" in one_line(errors)


def test_migrating_again_changes_nothing(trawl: Command) -> None:
    code, output, errors = trawl.run("migrate")
    assert (code, errors) == (0, "")
    assert output.startswith("up to date at ")


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"secret": "hunter2"}, ["SECRET", "32 bytes"]),
        ({"DATABASE_URL": "postgresql://a@127.0.0.1:1/a"}, ["trawl: "]),
    ],
)
def test_what_an_operator_can_mend_is_reported_in_one_line(
    trawl: Command, settings: dict[str, str], words: list[str]
) -> None:
    code, output, errors = trawl.run(**settings, LOG_FORMAT="console", LOG_LEVEL="ERROR")
    assert (code, output) == (1, "")
    assert all(word in one_line(errors) for word in words)
    assert "hunter2" not in errors


def test_a_rule_that_could_hang_a_worker_stops_the_start_by_file_page_and_pattern(
    trawl: Command, tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(r"""[[page]]
kind = "other"
path = '/(?P<a>x+)(?P=a)'
""")
    code, output, errors = trawl.run(
        LOGS_RULES=str(rules), PORT=str(free_port()), LOG_FORMAT="console", LOG_LEVEL="ERROR"
    )
    assert (code, output) == (1, "")
    assert all(word in one_line(errors) for word in (str(rules), "page 1", "'/(?P<a>x+)(?P=a)'"))


def test_a_port_in_use_is_named(trawl: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        code, output, errors = trawl.run("serve", PORT=port, LOG_FORMAT="console", LOG_LEVEL="ERROR")
    assert (code, output) == (1, "")
    assert port in one_line(errors)
    assert f"PORT={int(port) % 65535 + 1} make run" in errors


def test_from_nothing_to_a_report_and_to_the_end(short_dir: Path, log: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    trawl = Command({"DATA_DIR": str(short_dir), "PORT": str(port), "WORKERS": "1"})
    server = trawl.start()
    try:
        wait_until_ready(url)
        account = {"login": "anna", "password": PASSWORD}
        assert call(f"{url}/register", body=account)["login"] == "anna"
        token = call(f"{url}/login", body=account)["access_token"]

        code, output, _ = trawl.run("import", str(log))
        assert code == 0
        assert "4 imported" in output
        assert [row["name"] for row in call(f"{url}/imports", token=token)["items"]] == ["shop.log"]
        _, printed, _ = trawl.run("report", "4", "limit=2", "--json")
        assert json.loads(printed) == call(f"{url}/report/4?limit=2", token=token)

        code, _, errors = trawl.run(PORT=str(free_port()), LOG_FORMAT="console", LOG_LEVEL="ERROR")
        assert code == 1
        assert str(short_dir) in one_line(errors)

        server.send_signal(signal.SIGTERM)
        output, _ = server.communicate(timeout=PATIENCE)
        assert server.returncode == 0
        assert json.loads(output.splitlines()[0])["event"] == f"Trawl is serving on {url}"
        assert eventually(lambda: not postgres_pids(short_dir) and not valkey_pids(short_dir))
    finally:
        if server.poll() is None:
            server.kill()
            server.communicate()


def test_looks_for_garbage_are_short_and_those_at_all_objects_rare() -> None:
    young, middle, old = GARBAGE_THRESHOLDS
    assert young * middle <= 10_000  # some milliseconds, in which a worker answers nobody
    assert young * middle * old == 500_000
