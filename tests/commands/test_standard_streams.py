"""Commands that are started without a standard stream."""

import subprocess
import sys

import pytest

from tests.support.command_line import Command
from tests.support.processes import PATIENCE

pytestmark = pytest.mark.slow


def run(trawl: Command, redirection: str, *arguments: str) -> tuple[int, str]:
    """Return the exit code, and the messages of the error output."""
    script = f'exec "$@" {redirection}'
    done = subprocess.run(
        ["sh", "-c", script, "sh", sys.executable, str(trawl.program), *arguments],
        cwd=trawl.program.parent,
        env=trawl.environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, "".join(line for line in done.stderr.splitlines() if not line.startswith("{"))


@pytest.mark.usefixtures("committed_db")
def test_a_closed_input_is_an_empty_one(trawl: Command) -> None:
    assert run(trawl, "<&-", "create-admin", "root") == (
        1,
        "trawl: no password came: type it, or send it on standard input",
    )
    for command in ("import", "import-events"):
        code, _, errors = trawl.run(command, "-")  # with nothing to read
        assert run(trawl, "<&-", command, "-") == (code, "".join(errors.splitlines()))


@pytest.mark.parametrize("redirection", [">&-", "<&- >&-"])
def test_a_closed_output_takes_all_that_is_printed(trawl: Command, redirection: str) -> None:
    assert run(trawl, redirection, "openapi") == (0, "")


def test_a_closed_error_output_changes_no_exit_code(trawl: Command) -> None:
    assert run(trawl, "<&- 2>&-", "report", "8") == (2, "")
    assert run(trawl, "<&- 2>&-", "openapi") == (0, "")
