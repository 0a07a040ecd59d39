"""`main.py doctor`."""

import json
import resource

import pytest

from commands.doctor import MIN_FILES, check_open_files
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
        ({"DATABASE_URL": "postgresql://a:s3cret@127.0.0.1:1/a"}, "BAD database: ", "DATABASE_URL"),
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
