"""Running a program to its end while signals come."""

import os
import subprocess
import sys
from pathlib import Path

from tests.support.processes import PATIENCE

PROJECT = Path(__file__).parents[2]
# The signal comes during the fork, where Python ignores what its handlers raise.
SCRIPT = """
import os, signal, sys
from pathlib import Path
from embedded.child import run
signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
os.register_at_fork(after_in_parent=lambda: os.kill(os.getpid(), signal.SIGTERM))
run(["sleep", "60"], cwd=Path("/"), account=None)
"""


def test_a_signal_during_the_fork_ends_the_program_and_its_parent() -> None:
    process = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (process.returncode, process.stderr) == (3, "")
