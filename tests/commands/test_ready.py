"""What a container's health check runs."""

import asyncio
import os
import subprocess
import sys
import time
from urllib.parse import urlsplit

import pytest

from tests.support.command_line import PROJECT, free_port
from tests.support.http_server import RunningApp


def ask(**settings: str) -> tuple[int, str]:
    """The exit code, and what was said to standard error."""
    ended = subprocess.run(
        [sys.executable, "-m", "commands.ready"],
        cwd=PROJECT,
        env={"PATH": os.environ["PATH"], **settings},
        capture_output=True,
        text=True,
        timeout=10,
        check=False,
    )
    assert ended.stdout == ""
    return ended.returncode, ended.stderr


async def test_a_server_that_is_ready_is_a_success_well_within_the_time_of_a_health_check(
    server: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = str(urlsplit(server.url).port)
    begun = time.monotonic()
    assert await asyncio.to_thread(ask, HOST="0.0.0.0", PORT=port) == (0, "")
    assert time.monotonic() - begun < 4
    monkeypatch.setattr(server.app.ctx, "draining", True)
    assert await asyncio.to_thread(ask, PORT=port) == (1, '503 {"status":"draining"}\n')


@pytest.mark.parametrize(
    ("port", "told"), [(str(free_port()), "refused"), ("x", "PORT is 'x'")], ids=["no server", "no port"]
)
def test_what_is_not_ready_is_told_in_one_line(port: str, told: str) -> None:
    code, said = ask(PORT=port)
    assert code == 1
    assert told in said
    assert len(said.splitlines()) == 1
