"""What the first `make run` meets before there is any of our packages: each is told in one line."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import PROJECT
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="there is no make")
# A Python that is new enough and makes no environments, as Debian's without python3-venv.
NO_VENV = (
    f'#!/bin/sh\n[ "$1" = -m ] && echo ensurepip is not available && exit 1\nexec {sys.executable} "$@"\n'
)
NO_NETWORK = {"PIP_INDEX_URL": "http://127.0.0.1:1/simple", "PIP_CONFIG_FILE": os.devnull, "PIP_RETRIES": "0"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of what `make run` needs for its first step."""
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(PROJECT / name, tmp_path)
    shutil.copytree(PROJECT / ".ci", tmp_path / ".ci")
    return tmp_path


def make_run(folder: Path, **settings: str) -> list[str]:
    """Run `make run`, which fails; return what it says, without make's own lines."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    result = subprocess.run(
        ["make", "run"],
        cwd=folder,
        env=variables | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert result.returncode != 0
    return [line for line in result.stdout.splitlines() if not line.startswith("make")]


def test_no_python_is_reported_in_one_line(folder: Path) -> None:
    [line] = make_run(folder, PYTHON="/nowhere/python3")
    assert line.startswith("trawl needs Python 3.11 or newer: apt install python3")


def test_no_venv_is_reported_in_one_line(folder: Path) -> None:
    python = folder / "python-without-venv"
    python.write_text(NO_VENV)
    python.chmod(0o755)
    [line] = make_run(folder, PYTHON=str(python))
    assert line == "trawl needs the venv module: apt install python3-venv"
    assert not (folder / ".venv").exists()


def test_a_folder_without_room_for_an_environment_is_reported_in_one_line(folder: Path) -> None:
    (folder / ".venv").write_text("is not a folder")
    [line] = make_run(folder)
    assert line.startswith("trawl can't set up .venv: Error: ")


@pytest.mark.slow
def test_an_interrupted_installation_is_one_line_and_the_next_run_goes_on(folder: Path) -> None:
    """The index takes the connection and never answers."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    with socket.create_server(("127.0.0.1", 0)) as index:
        url = f"http://127.0.0.1:{index.getsockname()[1]}/simple"
        process = subprocess.Popen(
            ["make", "run", f"PYTHON={sys.executable}"],
            cwd=folder,
            env=variables | NO_NETWORK | {"PIP_INDEX_URL": url},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # as a terminal has it: its Ctrl-C reaches all of them
        )
        index.settimeout(PATIENCE)
        connection, _ = index.accept()
        os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=PATIENCE)
        connection.close()
    [line] = [line for line in output.splitlines() if line and not line.startswith(("make", "installing"))]
    assert line == "trawl: interrupted; run it again, and it goes on"
    assert "Error 130" in output or process.returncode == -signal.SIGINT
    packages = next((folder / ".venv").glob("lib/python*/site-packages"))
    (packages / "sanic-1.dist-info").mkdir()
    (packages / "sanic-1.dist-info" / "METADATA").touch()
    assert "is there a network?" in make_run(folder, **NO_NETWORK)[-1]
    assert [path.name for path in packages.glob("sanic*")] == []
    assert [*packages.glob("pip-*.dist-info")] != []


@pytest.mark.slow
def test_no_network_is_reported_in_one_line_after_what_is_done(folder: Path) -> None:
    lines = make_run(folder, PYTHON=sys.executable, **NO_NETWORK)
    assert lines[0].startswith("installing dependencies, once")
    [line] = [line for line in lines if line.startswith("trawl: ")]
    assert lines[-1] == line
    assert "is there a network?" in line
    assert "HTTPS_PROXY" in line
    assert not (folder / ".venv/.installed").exists()
