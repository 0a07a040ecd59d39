"""Heads of requests: their Host, how their body is framed, and addresses that proxies forward."""

import json

import pytest
from structlog.testing import capture_logs

from service.deps import Deps
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.raw_http import raw_request
from transport.headers import COMMON_HEADERS
from transport.heads import ForwardedWarning
from transport.settings import HttpSettings

NO_HOSTS = [
    "HTTP/1.1",
    "HTTP/1.1\r\nHost:",
    "HTTP/1.1\r\nHost: x\r\nHost: x",
    "HTTP/1.0\r\nHost: x\r\nHost: y",
]


@pytest.fixture
def named(server: RunningApp, deps: Deps) -> None:
    """Serve under two names."""
    server.use(deps, HttpSettings(allowed_hosts=frozenset({"shop.example", "[::1]"})))


@pytest.mark.parametrize("head", NO_HOSTS)
@pytest.mark.parametrize("path", ["/", "/nothing", "/profile"])
async def test_a_request_without_a_host_or_with_two_is_refused(
    server: RunningApp, head: str, path: str
) -> None:
    request = f"GET {path} {head}\r\nConnection: close\r\n\r\n"
    status, headers, body = await raw_request(server.url, request.encode())
    problem = json.loads(body)
    assert (status, problem["code"], problem["status"]) == (400, "bad_request", 400)
    assert problem["request_id"] == headers["x-request-id"]
    assert COMMON_HEADERS.items() <= headers.items()


async def test_http_1_0_needs_no_host(server: RunningApp) -> None:
    status, _, _ = await raw_request(server.url, b"GET / HTTP/1.0\r\n\r\n")
    assert status == 200


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    "host", ["shop.example", "SHOP.example:8000", "shop.example.", "shop.example:", "[::1]:80"]
)
async def test_a_host_that_is_allowed_is_taken_with_any_port(client: Client, host: str) -> None:
    assert (await client.get("/", headers={"Host": host})).status == 200


@pytest.mark.usefixtures("named")
@pytest.mark.parametrize(
    "host", ["evil.example", "shop.example.evil", "127.0.0.1", "::1", "[::1", "shop.example@evil", "\xff"]
)
@pytest.mark.parametrize("path", ["/", "/ready", "/nothing"])
async def test_any_other_host_is_refused(server: RunningApp, host: str, path: str) -> None:
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    status, _, body = await raw_request(server.url, request.encode("latin-1"))
    assert (status, json.loads(body)["code"]) == (400, "unknown_host")


@pytest.mark.parametrize(
    "encoding",
    ["gzip, chunked", "chunked, chunked", "identity, chunked", "gzip\r\nTransfer-Encoding: chunked"],
)
async def test_a_body_in_a_transfer_encoding_other_than_chunked_is_refused(
    server: RunningApp, encoding: str
) -> None:
    request = (
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        f"Transfer-Encoding: {encoding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    )
    status, headers, body = await raw_request(server.url, request.encode())
    assert (status, json.loads(body)["code"]) == (400, "unsupported_transfer_encoding")
    assert headers["connection"] == "close"


@pytest.mark.parametrize("encoding", ["chunked", "Chunked "])
async def test_a_chunked_body_is_taken(server: RunningApp, encoding: str) -> None:
    request = (
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
        f"Transfer-Encoding: {encoding}\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n"
    )
    status, _, _ = await raw_request(server.url, request.encode())
    assert status == 422


@pytest.fixture
def unwarned(server: RunningApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has forwarded an address yet."""
    monkeypatch.setattr(server.app.ctx, "forwarded_warning", ForwardedWarning())


@pytest.mark.usefixtures("unwarned")
@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP"])
async def test_a_forwarded_address_that_is_not_believed_is_logged_once(client: Client, name: str) -> None:
    with capture_logs() as logs:
        await client.get("/")
        for _ in range(3):
            await client.get("/", headers={name: "192.0.2.1"})
    [warning] = [line for line in logs if line["event"] == "forwarded_address_ignored"]
    assert (warning["log_level"], warning["header"]) == ("warning", name.lower())
    assert warning["proxy"] == "127.0.0.1"
    assert "PROXIES_COUNT" in warning["advice"]


@pytest.mark.usefixtures("unwarned")
@pytest.mark.parametrize(
    "http", [HttpSettings(proxies_count=1), HttpSettings(real_ip_header="x-real-ip")], ids=["count", "header"]
)
async def test_nothing_is_logged_where_proxies_are_believed(
    client: Client, server: RunningApp, deps: Deps, http: HttpSettings
) -> None:
    server.use(deps, http)
    with capture_logs() as logs:
        await client.get("/", headers={"X-Forwarded-For": "192.0.2.1"})
    assert "forwarded_address_ignored" not in {line["event"] for line in logs}
