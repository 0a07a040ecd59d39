"""Runs the command line as a process, and a small log for it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).parents[1]
PASSWORD = "correct horse battery"
LINES = [
    "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 8.8.8.8 https://shop.example/frozen_fish/",
    "shop_api      | 2018-08-01 03:01:36 [YQ3J8G5B] INFO: 8.8.8.8 https://shop.example/fresh_fish/",
    "shop_api      | 2018-08-01 13:01:37 [YQ3J8G5C] INFO: 8.8.4.4 https://shop.example/frozen_fish/",
    "shop_api      | 2018-08-01 14:01:38 [YQ3J8G5D] INFO: 8.8.4.4 https://shop.example/frozen_fish/",
    "this line is a reject",
]
LOG = "".join(f"{line}\n" for line in LINES)


@dataclass(frozen=True)
class Command:
    """Runs `python main.py` with settings of its own; those of this process do not reach it."""

    settings: dict[str, str]

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        inherited = {name: os.environ[name] for name in os.environ if name in {"PATH", "HOME", "LANG"}}
        traced = {name: value for name, value in os.environ.items() if name.startswith("COV")}
        return subprocess.Popen(
            [sys.executable, str(PROJECT / "main.py"), *arguments],
            cwd=PROJECT,
            env=inherited | traced | {"COLUMNS": "100"} | self.settings | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, text: str = "", **settings: str) -> tuple[int, str, str]:
        """Returns the exit code, the output, and the lines of the error output that are no log lines."""
        process = self.start(*arguments, **settings)
        output, errors = process.communicate(text, timeout=30)
        told = [line for line in errors.splitlines() if not line.startswith("{")]
        return process.returncode, output, "\n".join(told)


def one_line(told: str) -> str:
    assert len(told.splitlines()) == 1, told
    return told
