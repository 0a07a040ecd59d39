"""Fixtures of modules whose tests come by nginx, with the example of deploy/: TLS, gzip, kept connections."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.support.command_line import free_port
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.proxies import own_host, run_nginx
from tests.support.raw_http import trusting_context
from transport.settings import HttpSettings


@pytest.fixture(scope="module")
async def nginx_url(running_app: RunningApp, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """An nginx before the server of the tests."""
    port = free_port()
    servers = own_host(running_app.url.removeprefix("http://"), port, free_port())
    async with run_nginx(tmp_path_factory.mktemp("nginx"), servers, port):
        yield f"https://127.0.0.1:{port}"


@pytest.fixture
def front_url(nginx_url: str) -> str:
    """Where requests that are written byte by byte go, too."""
    return nginx_url


@pytest.fixture
async def client(server: RunningApp, nginx_url: str) -> AsyncIterator[Client]:
    """Somebody who has not signed in, and comes by nginx."""
    server.app.ctx.http = HttpSettings(proxies_count=1)  # its dependencies may be those of another fixture
    connector = aiohttp.TCPConnector(ssl=trusting_context())
    async with aiohttp.ClientSession(nginx_url, connector=connector) as session:
        yield Client(session)
