"""Over real proxies with the examples of deploy/: clients meet what they would meet without one."""

import shutil
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from service.deps import Deps
from tests.support.command_line import free_port
from tests.support.eventually import eventually
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.proxies import (
    CADDY,
    DEPLOY,
    TRAEFIK,
    run_nginx,
    run_proxy,
    traefik_command,
    under_a_path,
)
from transport.settings import HttpSettings

BASE = "/trawl"
BROWSER = {"Accept": "text/html"}


def upstream_of(server: RunningApp) -> str:
    return server.url.removeprefix("http://")


@pytest.fixture(params=["keeps", "strips"])
async def client_under_a_path(
    request: pytest.FixtureRequest, server: RunningApp, tmp_path: Path, deps: Deps
) -> AsyncIterator[Client]:
    """Somebody who comes by nginx, which shows the server under /trawl."""
    server.use(deps, HttpSettings(proxies_count=1, base_path=BASE))
    port = free_port()
    servers = under_a_path(upstream_of(server), port, strips=request.param == "strips")
    async with (
        run_nginx(tmp_path, servers, port),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        yield Client(session)


async def test_under_a_path_of_nginx_every_link_leads_on(client_under_a_path: Client) -> None:
    client = client_under_a_path
    root = await client.get(f"{BASE}/", headers=BROWSER)
    assert (root.status, root.headers["Location"]) == (303, f"{BASE}/dashboard")
    assert b'src="/trawl/dashboard/main.js"' in (await client.get(root.headers["Location"])).body
    for path in ("/health", "/openapi.json", "/dashboard/main.js", "/docs/assets/swagger-start.js"):
        assert (await client.get(BASE + path)).status == 200
    account = {"login": "under-a-path", "password": "correct horse battery"}
    assert (await client.post(f"{BASE}/register", json=account)).status == 201
    token = (await client.post(f"{BASE}/login", json=account)).json["access_token"]
    task = await client.signed_in(token).post(f"{BASE}/tasks", json={"title": "a"})
    assert (await client.signed_in(token).get(task.headers["Location"])).json == task.json


@pytest.mark.skipif(CADDY is None, reason="there is no Caddy")
async def test_caddy_shows_it_on_a_name_of_its_own_and_under_a_path(
    server: RunningApp, tmp_path: Path, deps: Deps
) -> None:
    server.use(deps, HttpSettings(proxies_count=1, base_path=BASE))
    port = free_port()
    text = (DEPLOY / "caddy/Caddyfile").read_text().replace("127.0.0.1:8000", upstream_of(server))
    for name in ("trawl.example.com", "www.example.com"):
        text = text.replace(f"{name} {{", f"http://{name}:{port} {{")
    configuration = tmp_path / "Caddyfile"
    configuration.write_text("{\n\tadmin off\n\tauto_https off\n}\n" + text)
    command = [str(CADDY), "run", "--adapter", "caddyfile", "--config", str(configuration)]
    async with (
        run_proxy(command, port, tmp_path),
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session,
    ):
        for host, path in (
            ("trawl.example.com", "/health"),
            ("www.example.com", f"{BASE}/health"),
            ("www.example.com", f"{BASE}/dashboard"),
            ("www.example.com", "/elsewhere"),
        ):
            async with session.get(path, headers={"Host": f"{host}:{port}"}) as response:
                is_ours = "X-Request-ID" in response.headers
                assert (response.status, is_ours) == (200, path != "/elsewhere")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "trawl.service"
    text = (DEPLOY / "systemd/trawl.service").read_text()
    unit.write_text(text.replace("/opt/trawl/.venv/bin/python", sys.executable))
    assert unit.read_text() != text
    result = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(TRAEFIK is None, reason="there is no Traefik")
async def test_traefik_shows_it_on_a_name_of_its_own_and_under_a_path(
    server: RunningApp, tmp_path: Path, deps: Deps
) -> None:
    server.use(deps, HttpSettings(proxies_count=1, base_path=BASE))
    port = free_port()
    command = traefik_command(tmp_path, upstream_of(server), port)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with (
        run_proxy(command, port, tmp_path),
        aiohttp.ClientSession(
            f"https://127.0.0.1:{port}", connector=aiohttp.TCPConnector(ssl=context)
        ) as session,
    ):

        async def get(host: str, path: str) -> tuple[int, bool]:
            async with session.get(path, headers={"Host": host}) as response:
                return response.status, "X-Request-ID" in response.headers

        async def reads_its_file() -> bool:
            try:
                return await get("trawl.example.com", "/ready") == (200, True)
            except aiohttp.ClientConnectorError:  # it resets connections before it has read its file
                return False

        await eventually(reads_its_file)
        assert await get("trawl.example.com", "/health") == (200, True)
        assert await get("www.example.com", f"{BASE}/dashboard") == (200, True)
        assert await get("www.example.com", "/trawled") == (404, False)
        assert await get("elsewhere.example.com", "/health") == (404, False)
    assert " ERR " not in (tmp_path / "output").read_text()


def test_the_service_of_traefik_is_that_of_its_routers() -> None:
    text = (DEPLOY / "traefik/trawl.yml").read_text()
    assert text.count("service: trawl\n") == 2
    assert "url: http://127.0.0.1:8000" in text
