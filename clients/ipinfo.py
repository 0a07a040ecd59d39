"""Countries of addresses from ipinfo.io, by its own library: up to a thousand in a request.

Each address is asked for in the pattern `lite/ADDRESS/country_code`, which by the service's documents its
free plans take too. An answer is two letters then, and the library, which would work through all fields of
a longer one, leaves it as it is.
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
from clients.upstream import OnCall, UpstreamError, UpstreamFailed, UpstreamRefused, UpstreamSlow, observed

log = structlog.get_logger("trawl.ipinfo")

MOST = 1000  # addresses in a request
FAILING_STATUS = 500
MEND = {
    HTTPStatus.UNAUTHORIZED: "it is refused",
    HTTPStatus.PAYMENT_REQUIRED: "its plan is not paid for",
    HTTPStatus.FORBIDDEN: "its plan does not hold these look-ups, or it is refused",
    HTTPStatus.TOO_MANY_REQUESTS: "its quota is used up",
}


class TokenRefused(UpstreamError):
    """It does not take the token, or its quota is used up. `status` is 401, 402, 403 or 429."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = int(status)
        self.cause = MEND[status]
        super().__init__(f"the token: {self.cause} ({self.status})")


class IpInfo:
    """A client of the service. All that it raises are UpstreamErrors, none of which holds the token."""

    def __init__(self, token: str, *, on_call: OnCall = lambda _outcome, _seconds: None) -> None:
        """`on_call` is told of each call: `ok` or the kind of its failure, and how long it took."""
        self._token = token
        self._on_call = on_call

    async def countries(self, addresses: Sequence[str], *, within: float) -> dict[str, str | None]:
        """The ISO codes of the countries of public addresses, MOST at most; None where none is known.

        Waits `within` seconds at most.
        """
        with observed(log, "ipinfo_countries", self._on_call):
            return await self._ask(addresses, within)

    async def _ask(self, addresses: Sequence[str], within: float) -> dict[str, str | None]:
        """Errors are told anew: the library's hold the request, and that the token."""
        patterns = {f"lite/{address}/country_code": address for address in addresses}
        # With two HTTP clients, which takes half a second.
        library = await asyncio.to_thread(import_module, "ipinfo")
        handler = library.getHandlerAsync(self._token, cache_options={"maxsize": 1, "ttl": 1})
        try:
            # The library's other way to ask for many answers nothing where it should raise, and this one
            # knows no timeout.
            async with (
                asyncio.timeout(within),
                aclosing(handler.getBatchDetailsIter(list(patterns))) as parts,
            ):
                answers = {pattern: value async for pattern, value in parts}
        except TimeoutError:
            raise UpstreamSlow("no answer in time") from None
        except aiohttp.ClientResponseError as error:
            raise failure_of(error.status) from None
        except (aiohttp.ClientError, OSError) as error:
            raise UpstreamFailed(f"the connection failed: {type(error).__name__}") from None
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            # What the library trips over when the answer is no JSON, or no object of details.
            raise UpstreamFailed(f"the answer can't be read: {type(error).__name__}") from None
        return countries_from(answers, patterns)


def failure_of(status: int) -> UpstreamError:
    if status in MEND:
        return TokenRefused(HTTPStatus(status))
    # A 200 that is an error all the same is no JSON.
    if status >= FAILING_STATUS or status < HTTPStatus.BAD_REQUEST:
        return UpstreamFailed(str(status) if status != HTTPStatus.OK else "the answer is no JSON")
    return UpstreamRefused(str(status))


def countries_from(answers: Mapping[str, Any], patterns: Mapping[str, str]) -> dict[str, str | None]:
    """By address. What is left out, or told with an error, is not known, unless all of them are."""
    answered = {pattern: value for pattern, value in answers.items() if isinstance(value, str)}
    if patterns and not answered.keys() & patterns.keys():
        raise UpstreamFailed("the answer tells of no address")
    return {
        address: code if (code := answered.get(pattern)) in COUNTRY_NAMES else None
        for pattern, address in patterns.items()
    }
