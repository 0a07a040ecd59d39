"""What goes wrong in the first minutes is told in one line that says what to look at."""

import errno
import json
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import SettingsError, chosen_log_format, read_settings
from server.port import describe_refusal
from tests.support.command_line import PASSWORD, PROJECT, Command, call, free_port
from tests.support.processes import PATIENCE, eventually

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/\n"


def error_of(trawl: Command, *arguments: str, **settings: str) -> str:
    """Run a command that fails; returns the only line that is not of the log."""
    code, output, errors = trawl.run(*arguments, LOG_FORMAT="console", LOG_LEVEL="ERROR", **settings)
    assert (code, output) == (1, ""), errors
    [line] = errors.splitlines()
    return line


def last_error(trawl: Command, log_format: str, settings: dict[str, str]) -> str:
    """Start a server that fails; returns its last line, or the event of it where logs are JSON."""
    defaults = {"PORT": str(free_port()), "LOG_FORMAT": log_format}
    code, output, errors = trawl.run_with_log(**defaults | settings)
    assert (code, output) == (1, ""), errors
    lines = errors.splitlines()
    if (log_format, settings.get("LOG_FORMAT", "json")) != ("json", "json"):
        return lines[-1]
    events = [json.loads(line) for line in lines]
    assert {"time", "level", "event"} <= events[-1].keys()
    assert events[-1]["level"] == "error"
    return str(events[-1]["event"])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            r"^.*$",
            "postgresql://a@127.0.0.1:1/shop",
            ["127.0.0.1:1/shop: nothing listens there; start PostgreSQL, or set the host and port"],
        ),
        (
            r"^.*$",
            "postgresql://a:s3cret@nowhere.invalid/shop",
            ["nowhere.invalid:5432/shop: the host is not known; set its name"],
        ),
        (r"/own_\w+", "/none", ["/none", 'database "none" does not exist; create it']),
        (r"trawl@", "nobody:s3cret@", ['role "nobody" does not exist; set a user']),
        (r"$", "&sslmode=banana", ["sslmode", "verify-full"]),
        (r"$", "&sslrootcert=/no/ca.pem", ["sslrootcert", "/no/ca.pem: No such file"]),
        (r"$", "&target_session_attrs=wrong", ["target_session_attrs", "prefer-standby, not wrong"]),
        (r"$", "&target_session_attrs=standby", ["None of the hosts", "requirement standby"]),
        (r"$", "&nonsense=5", ['parameter "nonsense"']),
        (r"^.*$", "postgresql://a@b:99999/shop", ["as port a number from 1 to 65535, not 99999"]),
        (r"^.*$", "mysql://a@b/shop", ["postgresql://"]),
    ],
)
def test_a_database_that_can_not_be_used_is_named_with_its_setting(
    trawl: Command, old: str, new: str, words: list[str]
) -> None:
    url = re.sub(old, lambda _: new, trawl.settings["DATABASE_URL"], count=1)
    for command in (["migrate"], ["backup", "/tmp/none.backup"]):
        line = error_of(trawl, *command, DATABASE_URL=url)
        assert all(word in line for word in ("DATABASE_URL", *words)), line
        assert "s3cret" not in line


@pytest.mark.slow
@pytest.mark.parametrize("program", [["main.py", "distribute"], ["-m", "alembic", "upgrade", "head"]])
def test_a_database_out_of_reach_is_one_line_of_what_connects_by_itself_too(
    trawl: Command, program: list[str]
) -> None:
    ended = subprocess.run(
        [sys.executable, *program],
        cwd=PROJECT,
        env=trawl.environment() | {"DATABASE_URL": "postgresql://a:s3cret@127.0.0.1:1/shop"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("trawl: DATABASE_URL: 127.0.0.1:1/shop: nothing listens there; ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "eighty"}, ["PORT", "'eighty'", "65535"]),
        ({"SECRET": "short"}, ["SECRET", "32 bytes"]),
        ({"LOGS_TIMEZONE": "Mars/Olympus"}, ["LOGS_TIMEZONE", "Europe/Berlin"]),
        ({"LOGS_RULES": "/no/such/rules.toml"}, ["LOGS_RULES", "is there"]),
        ({"LOGS_DIR": "/no/such"}, ["LOGS_DIR", "'/no/such'", "a folder that is there"]),
        ({"CORS_ORIGINS": "*"}, ["CORS_ORIGINS", "https://shop.example"]),
        ({"ADMIN_LOGIN": "root"}, ["ADMIN_LOGIN", "ADMIN_PASSWORD"]),
        ({"SMTP_URL": "mail.example"}, ["SMTP_URL", "smtp://"]),
        ({"DEBUG": "perhaps"}, ["DEBUG", "true or false"]),
        ({"LOG_FORMAT": "xml"}, ["LOG_FORMAT", "'xml'", "json, console"]),
        ({"SENTRY_DSN": "https://sentry.example"}, ["SENTRY_DSN", "https://key@"]),
        ({"KINOPOISK_URL": "https://"}, ["KINOPOISK_URL", "https://"]),
        ({"HOST": "192.0.2.1"}, ["HOST", "192.0.2.1", "can't be bound"]),
        ({"DATA_DIR": "/proc/trawl"}, ["DATA_DIR", "/proc/trawl", "set another"]),
        ({"ADMIN_LOGIN": "root", "ADMIN_PASSWORD": "short"}, ["ADMIN_PASSWORD", "8 to 128 characters"]),
        ({"ADMIN_LOGIN": "root", "ADMIN_PASSWORD": "password1"}, ["ADMIN_PASSWORD", "most common passwords"]),
        ({"ADMIN_LOGIN": "root-of-all", "ADMIN_PASSWORD": "Root-of-all"}, ["ADMIN_PASSWORD", "is the login"]),
        ({"ADMIN_LOGIN": "ro\tot", "ADMIN_PASSWORD": PASSWORD}, ["ADMIN_LOGIN", "control characters"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(
    trawl: Command, settings: dict[str, str], words: list[str]
) -> None:
    for log_format in ("console", "json"):
        line = last_error(trawl, log_format, settings)
        assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("LOGS_RULES", "page = [", ["not TOML"]),
        ("LOGS_RULES", '[[page]]\nkind = "shelf"\npath = "/"\n', ["page 1", "kind must be one of"]),
        ("GEOIP_PATH", "no data", [".mmdb"]),
    ],
)
def test_a_file_of_a_setting_that_is_wrong_is_named_with_it(
    trawl: Command, tmp_path: Path, name: str, content: str, words: list[str]
) -> None:
    file = tmp_path / "a file"
    file.write_text(content)
    line = last_error(trawl, "json", {name: str(file)})
    assert all(word in line for word in (name, "a file", *words)), line


def test_an_env_file_that_can_not_be_read_is_named(tmp_path: Path) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_bytes(b"ADMIN_LOGIN=\xff\n")
    with pytest.raises(SettingsError, match=r"\.env is not UTF-8"):
        read_settings({}, dotenv)
    assert chosen_log_format({"log_format": "JSON"}, dotenv) == "json"


def test_a_port_in_use_is_named_with_a_way_out(trawl: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        line = error_of(trawl, "serve", "--port", port)
    assert all(word in line for word in (port, "in use", "make run"))


def test_a_port_of_roots_is_named_with_a_way_out() -> None:
    assert "PORT=8000" in describe_refusal(PermissionError(errno.EACCES, "Permission denied"), 80, "make run")


def test_a_python_without_the_packages_is_sent_to_the_one_that_has_them() -> None:
    """`-S -I` is a Python without installed packages, as the system's is."""
    command = [sys.executable, "-S", "-I", str(PROJECT / "main.py")]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    [line] = process.stderr.splitlines()
    assert process.returncode == 1
    assert all(word in line for word in ("typer", ".venv/bin/python main.py", "make install"))


@pytest.mark.slow
def test_a_cache_that_does_not_answer_is_told_at_the_start(trawl: Command) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.start(REDIS_URL="redis://127.0.0.1:1/0", PORT=str(port), WORKERS="1", LOG_FORMAT="json")
    try:
        assert eventually(lambda: is_answering(url))
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.communicate()
    warnings = [line["event"] for line in map(json.loads, errors.splitlines()) if line["level"] == "warning"]
    assert any("REDIS_URL" in warning for warning in warnings), warnings


def is_answering(url: str) -> bool:
    try:
        call(url)
    except OSError:
        return False
    return True


def test_an_unknown_host_is_named(trawl: Command) -> None:
    assert "nowhere.invalid" in error_of(trawl, "--host", "nowhere.invalid", "--port", str(free_port()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "none.log"], ["none.log", "No such file"]),
        (["import-events", "none.ndjson"], ["none.ndjson", "No such file"]),
        (["restore", "none.backup"], ["none.backup"]),
        (["backup", "/proc/none/trawl.backup"], ["/proc/none/", "No such file"]),
        (["set-password", "nobody"], ["nobody"]),
    ],
)
def test_a_wrong_argument_is_named(trawl: Command, arguments: list[str], words: list[str]) -> None:
    line = error_of(trawl, *arguments)
    assert all(word in line for word in words), line


@pytest.mark.parametrize(
    ("parameter", "words"),
    [
        ("colour=red", ["colour", "metric"]),
        ("from=yesterday", ["from", "a date such as 2018-08-01"]),
        ("tz=Mars/Olympus", ["tz"]),
    ],
)
def test_a_wrong_parameter_of_a_report_exits_with_2(trawl: Command, parameter: str, words: list[str]) -> None:
    code, output, errors = trawl.run("report", "1", parameter)
    assert (code, output) == (2, "")
    assert all(word in errors.splitlines()[-1] for word in words), errors


def test_an_import_of_nothing_is_wrong_usage(trawl: Command) -> None:
    code, output, errors = trawl.run("import")
    assert (code, output) == (2, "")
    assert all(word in errors for word in ("name the logs", "--follow"))


def test_a_format_without_a_time_is_wrong_usage(trawl: Command) -> None:
    code, output, errors = trawl.run("import", "--format", "$remote_addr $request", "logs.txt")
    assert (code, output) == (2, "")
    assert all(word in errors for word in ("--format", "no variable for a time"))


def test_a_backup_that_is_there_is_not_overwritten(trawl: Command, tmp_path: Path) -> None:
    file = tmp_path / "trawl.backup"
    file.write_text("precious")
    assert "--force" in error_of(trawl, "backup", str(file))
    assert file.read_text() == "precious"


def test_a_file_that_is_no_backup_is_refused_and_nothing_changes(trawl: Command, tmp_path: Path) -> None:
    log, file = tmp_path / "shop.log", tmp_path / "trawl.backup"
    log.write_text(LINE)
    file.write_text("no backup")
    assert trawl.run("import", str(log))[0] == 0
    assert "nothing is changed" in error_of(trawl, "restore", str(file))
    assert trawl.run("import", str(log))[1] == "shop.log: nothing new\n"
