"""Prints tables of measurements, and stores them in RESULTS.md with the machine, the date and the commit."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "RESULTS.md"
HEAD = """# What the benchmarks measured

Each table is written by its benchmark, which measures both sides in one run.
"""


def write_results(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table, and replace the one of the same title in RESULTS.md."""
    lines = [row_of(columns), row_of(["---"] * len(columns)), *map(row_of, rows)]
    section = f"## {title}\n{circumstances()}\n\n" + "\n".join(lines) + "\n"
    print(section)
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    parts = re.split(r"\n(?=## )", text.rstrip("\n") + "\n")
    others = [part for part in parts[1:] if part.split("\n", 1)[0] != f"## {title}"]
    RESULTS.write_text("\n".join([parts[0], *sorted([*others, section])]), encoding="utf-8")


def row_of(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def circumstances() -> str:
    """Describe the date, the commit, the machine and its load."""
    model = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(
        git, cwd=RESULTS.parent, capture_output=True, text=True, check=False
    ).stdout.strip()
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=RESULTS.parent, check=False).returncode
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit}{' with changes' if changed else ''}, "
        f"{os.cpu_count()} cores of {model[1] if model else platform.machine()}, load {load:.1f} at the end."
    )
