"""Countries of addresses from ipinfo.io, by its own library: up to a thousand in a request.

Each address is requested by the pattern `lite/ADDRESS/country_code`, which by the service's documents its
free plans accept too. An answer is two letters then, and the library, which would rework all fields of a
longer one, leaves it as it is.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from http import HTTPStatus
from importlib import import_module
from typing import Any

import aiohttp
import structlog

from clients.geo import COUNTRY_NAMES
from clients.upstream import (
    OnCall,
    UpstreamError,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamSlow,
    observe_call,
)

log = structlog.get_logger("trawl.ipinfo")

MAX_ADDRESSES = 1000  # in a request
FAILING_STATUS = 500
CAUSES = {
    HTTPStatus.UNAUTHORIZED: "it is refused",
    HTTPStatus.PAYMENT_REQUIRED: "its plan is not paid for",
    HTTPStatus.FORBIDDEN: "its plan does not hold these look-ups, or it is refused",
    HTTPStatus.TOO_MANY_REQUESTS: "its quota is used up",
}


class TokenRefused(UpstreamError):
    """The service refuses the token, or its quota is used up. `status` is 401, 402, 403 or 429."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = int(status)
        self.cause = CAUSES[status]
        super().__init__(f"the token: {self.cause} ({self.status})")


class IpInfo:
    """A client of the service. It raises only UpstreamErrors, none of which holds the token."""

    def __init__(self, token: str, *, on_call: OnCall = lambda _outcome, _seconds: None) -> None:
        """Make a client. `on_call` gets `ok` or the kind of the failure of each call, and its seconds."""
        self._token = token
        self._on_call = on_call

    async def fetch_countries(self, addresses: Sequence[str], *, within: float) -> dict[str, str | None]:
        """Fetch the ISO codes of the countries of up to MAX_ADDRESSES public addresses; None where unknown.

        :raises UpstreamError: there is no usable answer `within` so many seconds
        """
        with observe_call(log, "ipinfo_countries", self._on_call):
            return await self._request(addresses, within)

    async def _request(self, addresses: Sequence[str], within: float) -> dict[str, str | None]:
        """Send one request. Errors of the library are replaced: they hold the request, and so the token."""
        patterns = {f"lite/{address}/country_code": address for address in addresses}
        # It imports two HTTP clients, which takes half a second.
        library = await asyncio.to_thread(import_module, "ipinfo")
        handler = library.getHandlerAsync(self._token, cache_options={"maxsize": 1, "ttl": 1})
        try:
            # The library's other way to request many addresses returns nothing where it should raise, and
            # this one has no timeout.
            async with (
                asyncio.timeout(within),
                aclosing(handler.getBatchDetailsIter(list(patterns))) as parts,
            ):
                answers = {pattern: value async for pattern, value in parts}
        except TimeoutError:
            raise UpstreamSlow("no answer in time") from None
        except aiohttp.ClientResponseError as error:
            raise error_of(error.status) from None
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamFailed(f"the connection failed: {type(error).__name__}") from None
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # What the library raises when the answer is not JSON, or no object of details.
            raise UpstreamFailed(f"the answer can't be read: {type(error).__name__}") from None
        return read_countries(answers, patterns)


def error_of(status: int) -> UpstreamError:
    """Make the error that a status stands for."""
    if status in CAUSES:
        return TokenRefused(HTTPStatus(status))
    # A 200 that is an error all the same is not JSON.
    if status >= FAILING_STATUS or status < HTTPStatus.BAD_REQUEST:
        return UpstreamFailed(str(status) if status != HTTPStatus.OK else "the answer is not JSON")
    return UpstreamRefused(str(status))


def read_countries(answers: Mapping[str, Any], patterns: Mapping[str, str]) -> dict[str, str | None]:
    """Return the countries by address. One that is missing, or has an error in its place, is unknown.

    :raises UpstreamFailed: all of them are
    """
    codes = {pattern: value for pattern, value in answers.items() if isinstance(value, str)}
    if patterns and not codes.keys() & patterns.keys():
        raise UpstreamFailed("the answer tells of no address")
    return {
        address: code if (code := codes.get(pattern)) in COUNTRY_NAMES else None
        for pattern, address in patterns.items()
    }
