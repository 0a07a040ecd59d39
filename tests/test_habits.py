"""What those who know similar projects type: `./deploy.sh`, `alembic upgrade head`, docker-compose.yml."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import PROJECT, Command
from tests.support.processes import PATIENCE


def deploy(*arguments: str, path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["./deploy.sh", *arguments],
        cwd=PROJECT,
        env={"PATH": path},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH whose `make` says what it is called with."""
    make = tmp_path / "make"
    make.write_text('#!/bin/sh\necho "make $*"\n')
    make.chmod(0o755)
    return f"{tmp_path}:/usr/bin:/bin"


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("dev", "docker-dev"),
        ("prod", "docker-prod"),
        ("status", "docker-status"),
        ("logs", "docker-logs"),
        ("down", "docker-down"),
        ("test", "test"),
    ],
)
def test_deploying_is_making_a_target(path: str, word: str, target: str) -> None:
    ended = deploy(word, path=path)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"make {target}\n", "")
    assert f"\n{target}:" in (PROJECT / "Makefile").read_text()


@pytest.mark.parametrize("arguments", [[], ["everything"]])
def test_deploying_something_else_tells_what_there_is(path: str, arguments: list[str]) -> None:
    ended = deploy(*arguments, path=path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "usage: ./deploy.sh dev|prod|status|logs|down|test\n"
    assert deploy("--help", path=path).returncode == 0


def test_the_other_name_of_the_compose_file_says_the_same() -> None:
    text = (PROJECT / "docker-compose.yml").read_text()
    assert text.splitlines()[-1] == "include: [compose.yaml]"


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
@pytest.mark.parametrize(
    ("target", "left_out"),
    [("test", ["-m", "not slow"]), ("test-all", []), ("check", []), ("test-coverage", [])],
)
def test_what_ci_runs_leaves_no_test_out(target: str, left_out: list[str]) -> None:
    printed = subprocess.run(
        ["make", "--dry-run", target],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"]},  # what runs the tests may be another make
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    ).stdout
    [command] = [line for line in printed.splitlines() if "-m pytest" in line]
    _, _, arguments = command.partition("-m pytest")
    assert shlex.split(arguments) == left_out


def test_ci_checks_all() -> None:
    assert (PROJECT / ".ci/run").read_text().splitlines()[-1] == "exec make check"


@pytest.mark.slow
def test_alembic_migrates_without_a_setting_and_serving_goes_on_from_there(short_dir: Path) -> None:
    command = Command({"DATA_DIR": str(short_dir)})
    ended = subprocess.run(
        [sys.executable, "-m", "alembic", "upgrade", "head"],
        cwd=PROJECT,
        env=command.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, ""), ended.stderr
    code, output, _ = command.run("migrate")
    assert code == 0
    assert output.startswith("up to date at ")
