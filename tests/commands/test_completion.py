"""Completion on a terminal, in bash itself."""

import fcntl
import os
import pty
import select
import shutil
import struct
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.command_line import PROJECT
from tests.support.processes import PATIENCE

VENV = Path(sys.executable).parents[1]
MAIN = PROJECT / "main.py"


class Terminal:
    """A bash on a terminal."""

    def __init__(self, file: int) -> None:
        self.file = file

    def type(self, text: str, *, shows: str) -> str:
        """Type a text and wait for what the terminal shows then; returns all that it shows until that."""
        os.write(self.file, text.encode())
        shown, deadline = "", time.monotonic() + PATIENCE
        while shows not in shown.replace(text, "", 1):
            assert select.select([self.file], [], [], deadline - time.monotonic())[0], shown
            shown += os.read(self.file, 4096).decode()
        return shown


@contextmanager
def bash(home: Path, folder: Path) -> Iterator[Terminal]:
    process, file = pty.fork()
    if process == 0:
        os.chdir(folder)
        names = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb"}
        os.execve("/bin/bash", ["bash", "-i"], names)
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 1000, 0, 0))  # no line is wrapped
    try:
        yield Terminal(file)
    finally:
        os.close(file)
        os.waitpid(process, 0)


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_what_the_readme_names_once_it_is_installed(tmp_path: Path) -> None:
    python = f"{VENV.name}/bin/python"
    (tmp_path / "access.log").touch()
    with bash(tmp_path, VENV.parent) as terminal:
        terminal.type(f"{python} {MAIN} --install-completion\n", shows="completion installed")
        terminal.type("source ~/.bashrc; echo $((41 + 1)) is ready\n", shows="42 is ready")
        for command in (python, str(VENV / "bin/python")):
            terminal.type(f"{command} {MAIN} doc\t", shows="doctor ")
            terminal.type("\x15", shows="")
            terminal.type(f"{command} {MAIN} import --dry\t", shows="--dry-run ")
            terminal.type("\x15", shows="")
            terminal.type(f"{command} {MAIN} import {tmp_path}/acc\t", shows="access.log ")
            terminal.type("\x15", shows="")
        terminal.type(f"{python} {tmp_path}/acc\t", shows="access.log ")
