"""The operator's commands: doctor, backup, restore."""

from pathlib import Path

import pytest

from tests.support.command_line import Command


def test_the_doctor_finds_all_well(trawl: Command) -> None:
    code, output, told = trawl.run("doctor")
    assert (code, told) == (0, "")
    parts = {line.partition(":")[0].removeprefix("ok  ") for line in output.splitlines()}
    assert {"settings", "disk", "secret", "database", "database's clock", "migrations", "cache"} <= parts


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


def test_a_backup_and_its_restoration_by_command(trawl: Command, tmp_path: Path) -> None:
    file = tmp_path / "trawl.backup"
    code, output, _ = trawl.run("backup", str(file))
    assert (code, output.startswith(f"{file}: ")) == (0, True)
    assert file.stat().st_mode & 0o777 == 0o600
    code, output, _ = trawl.run("restore", str(file))
    assert (code, output.startswith(f"restored {file}; the database is at ")) == (0, True)
    code, _, told = trawl.run("restore", str(tmp_path / "none"))
    assert (code, told) == (1, f"trawl: there is no {tmp_path / 'none'}")
