"""The client of ipinfo, against a server that plays it, slow and broken on demand."""

import asyncio
import traceback
from collections.abc import AsyncIterator
from unittest.mock import patch

import pytest

from clients.ipinfo import IpInfo, TokenRefused
from clients.upstream import UpstreamError, UpstreamFailed, UpstreamRefused, UpstreamSlow
from tests.support.ipinfo_service import TOKEN, FakeIpInfo, play_ipinfo

ADDRESSES = ["8.8.8.8", "9.9.9.9", "2001:4860:4860::8888", "2002::1"]


@pytest.fixture
async def ipinfo() -> AsyncIterator[FakeIpInfo]:
    async with play_ipinfo() as fake:
        yield fake


async def fetch(within: float = 5.0) -> dict[str, str | None]:
    return await IpInfo(TOKEN).fetch_countries(ADDRESSES, within=within)


async def test_countries_of_all_addresses_come_from_one_request(ipinfo: FakeIpInfo) -> None:
    ipinfo.countries = {"8.8.8.8": "US", "2001:4860:4860::8888": "NL", "9.9.9.9": "EU"}
    countries = await fetch()
    assert countries == {"8.8.8.8": "US", "9.9.9.9": None, "2001:4860:4860::8888": "NL", "2002::1": None}
    assert ipinfo.batches == [ADDRESSES]
    assert ipinfo.tokens == {f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (401, TokenRefused),
        (402, TokenRefused),
        (403, TokenRefused),
        (429, TokenRefused),
        (400, UpstreamRefused),
        (500, UpstreamFailed),
        (503, UpstreamFailed),
        ("cut", UpstreamFailed),
        ("no json", UpstreamFailed),
        ("list", UpstreamFailed),
        ("empty", UpstreamFailed),
        ("null", UpstreamFailed),
        ("hang", UpstreamSlow),
        ("drip", UpstreamSlow),
    ],
)
async def test_no_failure_tells_the_token(
    ipinfo: FakeIpInfo, caplog: pytest.LogCaptureFixture, mode: str | int, kind: type[UpstreamError]
) -> None:
    caplog.set_level("DEBUG")
    ipinfo.mode = mode
    with pytest.raises(UpstreamError) as error:
        await fetch(within=0.3 if kind is UpstreamSlow else 10)
    assert type(error.value) is kind
    assert error.value.__cause__ is None
    assert error.value.__context__ is None or error.value.__suppress_context__
    text = "".join(traceback.format_exception(error.value)) + caplog.text
    assert TOKEN not in text
    assert "upstream_call" in text


async def test_a_service_that_is_away_has_failed(ipinfo: FakeIpInfo) -> None:
    server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    await server.wait_closed()
    with patch("ipinfo.handler_async.API_URL", url), pytest.raises(UpstreamFailed):
        await fetch()


async def test_calls_are_reported_with_how_they_went(ipinfo: FakeIpInfo) -> None:
    calls: list[str] = []
    client = IpInfo(TOKEN, on_call=lambda outcome, seconds: calls.append(outcome) if seconds > 0 else None)
    await client.fetch_countries(ADDRESSES, within=5)
    ipinfo.mode = 403
    with pytest.raises(TokenRefused):
        await client.fetch_countries(ADDRESSES, within=5)
    assert calls == ["ok", "TokenRefused"]
