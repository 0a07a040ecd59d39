"""`main.py doctor`."""

import json
import os
import resource
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from commands.doctor import (
    MIN_FILES,
    MIN_FREE,
    check_disk,
    check_files,
    check_log,
    check_open_files,
    check_secret,
)
from config import read_settings
from tests.support.command_line import Command


def test_the_doctor_finds_all_well(trawl: Command) -> None:
    code, output, errors = trawl.run("doctor")
    assert (code, errors) == (0, "")
    parts = {line.partition(":")[0].removeprefix("ok  ") for line in output.splitlines()}
    assert {"settings", "disk", "secret", "database", "database's clock", "migrations", "cache"} <= parts
    code, output, _ = trawl.run("doctor", "--json")
    findings = json.loads(output)
    assert (code, {finding["part"] for finding in findings}) == (0, parts)
    assert all(finding["advice"] == "" for finding in findings)


@pytest.mark.parametrize(
    ("settings", "bad", "advice"),
    [
        (
            {"DATABASE_URL": "postgresql://a:s3cret@127.0.0.1:1/a"},
            "BAD database: nothing listens there, at 127.0.0.1:1/a",
            "DATABASE_URL",
        ),
        (
            {"DATABASE_URL": "postgresql://a:s3cret@nowhere.invalid/a"},
            "BAD database: the host is not",
            "DATABASE_URL",
        ),
        (
            {"DATABASE_REPLICA_URL": "postgresql://a:s3cret@127.0.0.1:1/a"},
            "BAD replica: nothing listens there, at 127.0.0.1:1/a",
            "DATABASE_REPLICA_URL",
        ),
        ({"REDIS_URL": "redis://127.0.0.1:1"}, "BAD cache: ", "REDIS_URL"),
    ],
)
def test_the_doctor_says_what_to_do(trawl: Command, settings: dict[str, str], bad: str, advice: str) -> None:
    code, output, _ = trawl.run("doctor", **settings)
    assert code == 1
    lines = output.splitlines()
    [place] = [number for number, line in enumerate(lines) if line.startswith("BAD ")]
    assert lines[place].startswith(bad)
    assert advice in lines[place + 1]
    assert "s3cret" not in output


def test_a_role_that_the_database_refuses_is_reported(trawl: Command, database_url: str) -> None:
    url = urlsplit(database_url)._replace(netloc="stranger@").geturl()
    code, output, errors = trawl.run("doctor", DATABASE_URL=url)
    assert (code, errors) == (1, "")
    assert 'BAD database: role "stranger" does not exist' in output


def test_a_limit_of_open_files_that_a_worker_raises_itself_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian gives a user 1,024 at first, and as many as it likes on request."""
    for limits, is_well in (
        ((1024, 1_048_576), True),
        ((1024, resource.RLIM_INFINITY), True),
        ((1024, MIN_FILES), True),
        ((1024, 1024), False),
    ):
        monkeypatch.setattr(resource, "getrlimit", lambda _kind, limits=limits: limits)
        assert (check_open_files().advice == "") == is_well


@pytest.mark.parametrize(("mode", "advice"), [(0o600, ""), (0o644, "others can read it: chmod 600 {}")])
def test_a_secret_that_others_can_read_is_reported(tmp_path: Path, mode: int, advice: str) -> None:
    settings = read_settings({"DATA_DIR": str(tmp_path)}, tmp_path / ".env")
    assert check_secret(settings).state == "is made at the first start"
    (tmp_path / "secret").touch(mode=mode)
    assert check_secret(settings).advice == advice.format(tmp_path / "secret")


def test_files_that_this_user_may_not_use_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Root may use all files, so the operating system's answer is played."""
    log = tmp_path / "logs.txt"
    log.write_text("a line\n")
    finding = check_log(log, is_expected=True)
    assert (finding.advice, finding.state) == ("", f"{log}, 7 bytes")
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert check_log(log, is_expected=True).advice == f"let this user read {log}, or set LOGS_FILE"
    assert check_disk(tmp_path / "var").advice == f"let this user write to {tmp_path}, or set DATA_DIR"


def test_a_log_that_is_not_there_is_reported_where_a_setting_names_or_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for texts, is_well in (
        ({}, True),
        ({"LOGS_FOLLOW": "true"}, False),
        ({"LOGS_FILE": str(tmp_path / "shop.log")}, False),
    ):
        log, *_ = check_files(read_settings(texts, tmp_path / ".env"))
        assert "/parse answers 404" in log.state
        assert (log.advice == "") == is_well


def test_other_files_of_settings_are_reported(tmp_path: Path) -> None:
    (tmp_path / "no.mmdb").touch()
    (tmp_path / "no.toml").write_text("page = [")
    texts = {"LOGS_DIR": "none", "LOGS_RULES": "no.toml", "GEOIP_PATH": "no.mmdb"}
    named = {name: str(tmp_path / value) for name, value in texts.items()}
    _, *findings = check_files(read_settings(named, tmp_path / ".env"))
    assert [finding.part for finding in findings] == ["folder of logs", "rules", "countries"]
    for finding, name in zip(findings, texts, strict=True):
        assert name in finding.advice


def test_a_wrong_setting_is_a_finding(trawl: Command) -> None:
    code, output, errors = trawl.run("doctor", "--json", PORT="eighty")
    [finding] = json.loads(output)
    assert (code, errors, finding["part"]) == (1, "", "settings")
    assert finding["state"].startswith("PORT is 'eighty'; it takes ")
    code, output, errors = trawl.run("doctor", PORT="eighty")
    assert (code, output.splitlines()[0], errors) == (1, f"BAD settings: {finding['state']}", "")


def test_a_disk_with_little_room_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for total, free, is_well in ((10 * MIN_FREE, MIN_FREE, True), (10 * MIN_FREE, MIN_FREE - 1, False)):
        usage = shutil._ntuple_diskusage(total, total - free, free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _, usage=usage: usage)
        assert (check_disk(tmp_path).advice == "") == is_well
