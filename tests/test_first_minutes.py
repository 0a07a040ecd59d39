"""What goes wrong in the first minutes is told in one line that says what to look at."""

import re
import socket
from pathlib import Path

import pytest

from tests.support.command_line import Command, free_port

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/\n"


def error_of(trawl: Command, *arguments: str, **settings: str) -> str:
    """Run a command that fails; returns its only line."""
    code, output, errors = trawl.run(*arguments, **settings)
    assert (code, output) == (1, ""), errors
    [line] = errors.splitlines()
    return line


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (r"^.*$", "postgresql://a@127.0.0.1:1/shop", ["127.0.0.1:1/shop", "111"]),
        (r"^.*$", "postgresql://a:s3cret@nowhere.invalid/shop", ["nowhere.invalid/shop", "not known"]),
        (r"/own_\w+", "/none", ["/none", 'database "none" does not exist']),
        (r"trawl@", "nobody:s3cret@", ['role "nobody" does not exist']),
        (r"$", "&sslmode=banana", ["sslmode", "verify-full"]),
        (r"$", "&nonsense=5", ['parameter "nonsense"']),
        (r"^.*$", "postgresql://a@b:99999/shop", ["postgresql://"]),
        (r"^.*$", "mysql://a@b/shop", ["postgresql://"]),
    ],
)
def test_a_database_that_can_not_be_used_is_named_with_its_setting(
    trawl: Command, old: str, new: str, words: list[str]
) -> None:
    url = re.sub(old, lambda _: new, trawl.settings["DATABASE_URL"], count=1)
    line = error_of(trawl, "migrate", DATABASE_URL=url)
    assert all(word in line for word in ("DATABASE_URL", *words)), line
    assert "s3cret" not in line


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"PORT": "eighty"}, ["PORT", "'eighty'", "65535"]),
        ({"SECRET": "short"}, ["SECRET", "32 bytes"]),
        ({"LOGS_TIMEZONE": "Mars/Olympus"}, ["LOGS_TIMEZONE", "Europe/Berlin"]),
        ({"LOGS_RULES": "/no/such/rules.toml"}, ["LOGS_RULES", "is there"]),
        ({"CORS_ORIGINS": "*"}, ["CORS_ORIGINS", "https://shop.example"]),
        ({"ADMIN_LOGIN": "root"}, ["ADMIN_LOGIN", "ADMIN_PASSWORD"]),
        ({"SMTP_URL": "mail.example"}, ["SMTP_URL", "smtp://"]),
        ({"DEBUG": "perhaps"}, ["DEBUG", "true or false"]),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_takes(
    trawl: Command, settings: dict[str, str], words: list[str]
) -> None:
    line = error_of(trawl, **settings)
    assert all(word in line for word in words), line


def test_a_port_in_use_is_named_with_a_way_out(trawl: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        line = error_of(trawl, "serve", "--port", port)
    assert all(word in line for word in (port, "in use", "make run"))


def test_an_unknown_host_is_named(trawl: Command) -> None:
    assert "nowhere.invalid" in error_of(trawl, "--host", "nowhere.invalid", "--port", str(free_port()))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["import", "none.log"], ["none.log", "No such file"]),
        (["import-events", "none.ndjson"], ["none.ndjson", "No such file"]),
        (["restore", "none.backup"], ["none.backup"]),
        (["report", "1", "colour=red"], ["colour", "metric"]),
        (["report", "1", "from=yesterday"], ["from"]),
        (["report", "1", "tz=Mars/Olympus"], ["tz"]),
        (["set-password", "nobody"], ["nobody"]),
    ],
)
def test_a_wrong_argument_is_named(trawl: Command, arguments: list[str], words: list[str]) -> None:
    line = error_of(trawl, *arguments)
    assert all(word in line for word in words), line


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
