"""Commands work on the Trawl that is there, and make no second one in a folder that is the wrong one."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from commands import installation
from tests.support.command_line import PROJECT, Command
from tests.support.processes import PATIENCE


@pytest.mark.parametrize(
    "arguments",
    [["report", "1"], ["set-password", "anna"], ["backup", "trawl.backup"], ["distribute", "--dry-run"]],
)
def test_what_reads_or_changes_a_trawl_makes_none(short_dir: Path, arguments: list[str]) -> None:
    code, output, errors = Command({"DATA_DIR": str(short_dir)}).run(*arguments)
    assert (code, output) == (1, "")
    [line] = errors.splitlines()
    assert all(
        word in line for word in (f"there is no Trawl in {short_dir}:", "set DATA_DIR", "main.py serve")
    )
    assert not short_dir.exists()


def test_the_doctor_of_no_trawl_says_so_and_makes_none(short_dir: Path) -> None:
    code, output, _ = Command({"DATA_DIR": str(short_dir)}).run("doctor", "--json")
    [database] = [finding for finding in json.loads(output) if finding["part"] == "database"]
    assert (code, database["state"]) == (1, f"there is none in {short_dir}")
    assert "set DATA_DIR" in database["advice"]
    assert not short_dir.exists()


@pytest.mark.parametrize("arguments", [["create-admin", "root"], ["import", "shop.log"], ["migrate"]])
def test_what_may_begin_a_trawl_does_not_in_a_folder_that_nobody_named(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "shop.log").touch()
    ended = subprocess.run(
        [sys.executable, PROJECT / "main.py", *arguments],
        cwd=tmp_path,
        env=Command({}).environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith(f"trawl: there is no Trawl in {tmp_path}/var: ")
    assert [path.name for path in tmp_path.iterdir()] == ["shop.log"]


def test_a_trawl_may_begin_in_its_own_folder_and_in_a_data_dir_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("DATA_DIR", raising=False)
    monkeypatch.chdir(PROJECT)
    assert installation.is_place_meant()
    monkeypatch.chdir(tmp_path)
    assert not installation.is_place_meant()
    Path(".env").write_text("data_dir=/srv/trawl\n")
    assert installation.is_place_meant()
