"""SIGTERM: under clients that keep their connections, and at the moments of a start."""

import asyncio
import hashlib
import os
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, Command, call, free_port, wait_until_ready
from tests.support.processes import PATIENCE, children, command_of, eventually, processes_below

pytestmark = pytest.mark.slow

CLIENTS = 32


@dataclass
class KeepAlive:
    """Clients that send one request after the other, each over a connection that it keeps."""

    port: int
    token: str
    requests: list[tuple[float, int | str]] = field(default_factory=list)
    """When each request was sent, and its status or the name of its error."""

    async def send_requests(self, number: int) -> None:
        """Send requests for ever. When told to close the connection, open another; end if that fails."""
        path, body = (("GET /tasks", ""), ("GET /profile", ""), ("POST /tasks", '{"title":"x"}'))[number % 3]
        request = (
            f"{path} HTTP/1.1\r\nHost: trawl\r\nAuthorization: {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        status: int | str = 200
        while isinstance(status, int):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                while not reader.at_eof() and isinstance(status, int):
                    sent = time.monotonic()
                    try:
                        writer.write(request)
                        status = await read_status(reader)
                    except (OSError, EOFError) as error:
                        status = type(error).__name__
                    self.requests.append((sent, status))
                writer.close()
            except OSError:
                return


async def read_status(reader: asyncio.StreamReader) -> int:
    """Read one response; returns its status. If it says `close`, the reader is at its end afterwards."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
    await reader.readexactly(int(fields[b"content-length"]))
    if fields.get(b"connection") == b"close":
        await reader.read()
    return int(head.split()[1])


async def test_no_request_fails_that_was_sent_before_readiness_was_withdrawn(trawl: Command) -> None:
    url = f"http://127.0.0.1:{(port := free_port())}"
    process = trawl.fork(PORT=str(port), WORKERS="2", RATE_LIMIT_PER_MINUTE="0", LOG_LEVEL="ERROR")
    try:
        await asyncio.to_thread(wait_until_ready, url)
        clients = KeepAlive(port, await asyncio.to_thread(sign_in, url))
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(clients.send_requests(number))
            assert await asyncio.to_thread(eventually, lambda: len(clients.requests) > 3 * CLIENTS)
            process.terminate()
            withdrawn = await time_of_withdrawal(url)
            code = await asyncio.to_thread(process.wait, PATIENCE)
        before = Counter(status for sent, status in clients.requests if sent < withdrawn)
        assert (code, set(before)) == (0, {200, 201})
        assert process.communicate()[1] == ""
    finally:
        process.kill()
        await asyncio.to_thread(process.communicate)


def sign_in(url: str) -> str:
    account = {"login": "anna", "password": PASSWORD}
    call(f"{url}/register", body=account)
    return str(call(f"{url}/login", body=account)["access_token"])


async def time_of_withdrawal(url: str) -> float:
    """Return when /ready answered 503: now. If a busy machine answers too late, when the signal was sent."""
    signalled = time.monotonic()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as session:
        while True:
            try:
                async with session.get(f"{url}/ready") as response:
                    if response.status == 503:
                        assert (await response.json())["status"] == "draining"
                        return time.monotonic()
            except aiohttp.ClientConnectionError:
                return signalled
            await asyncio.sleep(0.02)


def test_a_signal_at_any_moment_of_a_start_ends_it_and_leaves_nothing(short_dir: Path) -> None:
    # Too long a path for sockets, which are elsewhere then.
    data_dir = short_dir / ("d" * 100)
    postgres = data_dir / "postgres"
    trawl = Command({"DATA_DIR": str(data_dir), "PORT": str(port := free_port()), "WORKERS": "2"})
    moments: list[tuple[Callable[[int], object], float]] = [
        (lambda _: True, 0.0),
        (lambda _: (postgres / "data.new").exists() or (postgres / "data").exists(), 0.2),
        (lambda _: (postgres / "data" / "postmaster.pid").exists(), 0.0),
        (lambda pid: any("main.py" in command_of(child) for child in children(pid)), 0.0),
    ]
    for has_come, pause in moments:
        process = trawl.start()
        assert eventually(partial(has_come, process.pid))
        time.sleep(pause)  # into the midst of it
        process.terminate()
        _, errors = process.communicate(timeout=PATIENCE)
        # Before Python runs, the kernel ends it.
        assert process.returncode in (0, -signal.SIGTERM)
        assert all(line.startswith("{") for line in errors.splitlines()), errors
        assert eventually(lambda: remains(data_dir) == [])
    process = trawl.start()
    wait_until_ready(f"http://127.0.0.1:{port}")
    process.terminate()
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert eventually(lambda: remains(data_dir) == [])


def remains(data_dir: Path) -> list[object]:
    """Return the processes that work there, and the folders of sockets of both servers."""
    homes = [data_dir / "postgres", data_dir / "valkey"]
    names = [f"trawl-{hashlib.sha256(os.fsencode(home)).hexdigest()[:12]}" for home in homes]
    folders = [Path(base) / name for base in ("/run", tempfile.gettempdir()) for name in names]
    return [*processes_below(data_dir), *(folder for folder in folders if folder.exists())]
