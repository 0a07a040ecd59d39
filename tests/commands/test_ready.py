"""`python -m commands.ready`, the health check of a container."""

import asyncio
import subprocess
import sys
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import PROJECT, Command, free_port
from tests.support.http_server import RunningApp
from tests.support.processes import PATIENCE


def check(**settings: str) -> tuple[int, str]:
    """Run the health check; returns its exit code and its error output."""
    process = subprocess.run(
        [sys.executable, "-m", "commands.ready"],
        cwd=PROJECT,
        env=Command(settings).environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert process.stdout == ""
    return process.returncode, process.stderr


async def test_a_server_that_is_ready_is_a_success_until_it_drains(
    server: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(urlsplit(server.url).port)
    assert await asyncio.to_thread(check, HOST="0.0.0.0", PORT=port) == (0, "")
    monkeypatch.setattr(server.app.ctx, "draining", True)
    assert await asyncio.to_thread(check, PORT=port) == (1, '503 {"status":"draining"}\n')


def test_it_imports_the_settings_and_no_server() -> None:
    code = "import sys, commands.ready; print(*sys.modules)"
    command = [sys.executable, "-c", code]
    process = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    assert {"sanic", "sqlalchemy", "typer", "numpy"} & set(process.stdout.split()) == set()


@pytest.mark.parametrize(
    ("port", "message"), [(str(free_port()), "refused"), ("x", "PORT is 'x'")], ids=["no server", "no port"]
)
def test_what_is_not_ready_is_reported_in_one_line(port: str, message: str) -> None:
    code, errors = check(PORT=port)
    assert code == 1
    assert message in errors
    assert len(errors.splitlines()) == 1
