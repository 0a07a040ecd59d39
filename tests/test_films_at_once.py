"""Films as their users have them: a server of two workers, the command line, the demonstration."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.support.command_line import PASSWORD, PROJECT, Command, Running, free_port
from tests.support.eventually import eventually
from tests.support.films import FILM, KEY
from tests.support.http_client import Client
from tests.support.http_server import wait_for_port
from tests.support.kinopoisk import FakeKinopoisk
from tests.support.processes import PATIENCE

ACCOUNT = {"login": "anna", "password": PASSWORD}


def start(program: list[str], settings: dict[str, str]) -> subprocess.Popen[str]:
    inherited = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    coverage = {name: value for name, value in os.environ.items() if name.startswith("COV")}
    return subprocess.Popen(
        [sys.executable, *program],
        cwd=PROJECT,
        env=inherited | coverage | settings,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def wait_for_end(process: Running) -> tuple[int, str, str]:
    """The exit code, the output and the error output."""
    output, errors = await asyncio.to_thread(process.communicate, timeout=PATIENCE)
    return process.wait(), output, errors


@pytest.fixture
def settings(committed_url: str, servers: tuple[str, str], short_dir: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": committed_url,
        "REDIS_URL": servers[1],
        "DATA_DIR": str(short_dir),
        "PORT": str(free_port()),
        "WORKERS": "2",
        "RATE_LIMIT_PER_MINUTE": "0",
    }


async def sign_in(client: Client) -> Client:
    assert (await client.post("/register", json=ACCOUNT)).status == 201
    token = (await client.post("/login", json=ACCOUNT)).json["access_token"]
    return client.signed_in(token)


@pytest.fixture
async def anna(
    cache: Any, settings: dict[str, str], kinopoisk: FakeKinopoisk
) -> AsyncIterator[tuple[Client, Running]]:
    """A user of a server of two workers, each of whose requests comes on a connection of its own."""
    settings |= {"KINOPOISK_URL": kinopoisk.url, "KINOPOISK_API_KEY": KEY}
    process = Command(settings).fork()
    try:
        await wait_until_served(settings["PORT"])
        connector = aiohttp.TCPConnector(force_close=True, limit=0)
        url = f"http://127.0.0.1:{settings['PORT']}"
        async with aiohttp.ClientSession(url, connector=connector) as session:
            yield await sign_in(Client(session)), process
    finally:
        process.terminate()
        await wait_for_end(process)


async def wait_until_served(port: str) -> None:
    for _ in range(10):
        try:
            await wait_for_port(int(port))
        except AssertionError:
            continue
        return
    raise AssertionError("nothing listens")


async def is_answered(client: Client, path: str) -> bool:
    return (await client.get(path)).status == 200


@pytest.mark.slow
async def test_two_workers_together_never_call_more_than_five_times_in_a_second(
    anna: tuple[Client, Running], kinopoisk: FakeKinopoisk, settings: dict[str, str]
) -> None:
    client, _ = anna
    answers = await asyncio.gather(*(client.get(f"/movies/search?query=film{n}") for n in range(30)))
    assert kinopoisk.most_in_a_second() <= 5
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 503}
    assert 5 <= statuses.count(200) <= len(kinopoisk.calls) <= 30
    assert all("Retry-After" in answer.headers for answer in answers if answer.status == 503)
    await eventually(partial(is_answered, client, "/movies/search?query=free"))
    kinopoisk.calls.clear()
    equal = await asyncio.gather(*(client.get("/movies/search?query=e") for _ in range(30)))
    assert {answer.status for answer in equal} == {200}
    assert len(kinopoisk.calls) == 1

    assert (await client.post("/movies/favorites", json={"kinopoisk_id": FILM})).status == 201
    kinopoisk.answer = {"kinopoiskId": FILM, "nameRu": "Новое имя"}
    code, output, _ = await wait_for_end(Command(settings).fork("refresh-favourites"))
    assert (code, output) == (0, "1 favourite film: 1 brought up to date\n")
    [saved] = (await client.get("/movies/favorites")).json["items"]
    assert saved["name_ru"] == "Новое имя"
    assert saved["refreshed_at"] > saved["added_at"]
    kinopoisk.mode = 401
    code, output, errors = await wait_for_end(Command(settings).fork("refresh-favourites"))
    assert (code, output) == (1, "1 favourite film: 0 brought up to date, 1 not asked for\n")
    assert "KINOPOISK_API_KEY" in errors
    assert KEY not in errors


async def test_refreshing_without_a_key_fails_with_one_line(settings: dict[str, str]) -> None:
    code, output, errors = await wait_for_end(Command(settings).fork("refresh-favourites"))
    assert (code, output) == (1, "")
    assert "KINOPOISK_API_KEY" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.slow
async def test_the_demonstration_on_a_port_in_use_tells_its_own_way_out(settings: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        process = start(["-m", "demo"], settings | {"PORT": str(port)})
        code, output, errors = await wait_for_end(process)
    assert (code, output) == (1, "")
    [line] = errors.splitlines()
    assert line.startswith(f"trawl: PORT {port} on HOST 127.0.0.1 is in use; ")
    assert line.endswith(f"PORT={port % 65535 + 1} make demo")


@pytest.mark.slow
async def test_the_demo_prints_an_account_that_finds_films_and_data_and_leaves_nothing_behind(
    cache: Any, settings: dict[str, str]
) -> None:
    process = start(["-m", "demo"], settings | {"WORKERS": "1", "LOG_FORMAT": "console"})
    try:
        films_port, password = await asyncio.to_thread(read_start, process)
        async with aiohttp.ClientSession(f"http://127.0.0.1:{settings['PORT']}") as session:
            signed_in = await Client(session).post("/login", json={"login": "demo", "password": password})
            response = await (await sign_in(Client(session))).get("/movies/search?query=lighthouse")
            assert [film["kinopoisk_id"] for film in response.json["items"]] == [FILM]
            assert json.loads(response.body)["next"] is None
            client = Client(session).signed_in(signed_in.json["access_token"])
            for path in (
                "/tasks",
                "/movies/favorites",
                "/events",
                "/visits?source=api",
                "/sessions",
                "/user/all",
            ):
                assert len((await client.get(path)).json["items"]) > 0, path
            for number in range(1, 8):
                assert (await client.get(f"/report/{number}?source=api")).json["rows"], number
                assert (await client.get(f"/report/{number}?source=log")).json["rows"], number
            for group in ("browser", "referrer", "country", "category"):
                groups = (await client.get(f"/visits/stats?group_by={group}&source=api")).json["items"]
                assert len(groups) > 2, group
            imports = (await client.get("/imports")).json["items"]
            assert {record["status"] for record in imports} == {"done"}
            assert sum(record["rejected"] for record in imports) > 0
            for path in ("/admin/users", "/admin/auth-events", "/stats/top-events"):
                assert len((await client.get(path)).json["items"]) > 1, path
    finally:
        process.send_signal(signal.SIGTERM)
        code, _, _ = await wait_for_end(process)
    assert code == 0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", films_port)


def read_start(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Read what the demonstration prints: the port of its films, and the password of its account."""
    assert process.stdout is not None
    port = int(process.stdout.readline().rpartition(":")[2])
    for line in process.stdout:
        if line.strip().startswith("password:"):
            return port, line.split()[1]
    raise AssertionError("it ended without a password")
