"""What a handler gets: Sanic's request with our context and its own id, its body not read yet."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import getrandbits
from types import SimpleNamespace
from typing import Any, cast

import sanic
from sanic.exceptions import BadRequest, BadURL, RequestTimeout
from sanic.models.asgi import MockTransport
from sanic.request.types import Request as SanicRequest

from service.accounts.authentication import Caller, Origin
from service.clock import now
from service.deps import Deps

App = sanic.Sanic[Any, SimpleNamespace]

SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
PATIENCE = 30.0  # seconds for which the next piece of a body is waited for
AGENT_LENGTH = 300  # characters kept of a User-Agent


@dataclass(slots=True)
class RequestContext:
    """What is learned about a request on its way. `user_id` 0: nobody has shown who it is."""

    caller: Caller | None = None
    user_id: int = 0
    headers: dict[str, str] = field(default_factory=dict)  # for the response, whatever that will be


class Request(SanicRequest[App, Any]):
    """Sanic's request; `receive_body` is ours, because in ASGI mode Sanic enforces no limit."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        try:
            self._parsed_url.path.decode()
            (self._parsed_url.query or b"").decode()
        except (UnicodeDecodeError, AttributeError):
            raise BadURL("the URL is not UTF-8 or has no path") from None

    @staticmethod
    def make_context() -> RequestContext:
        return RequestContext()

    @property
    def id(self) -> str:
        """The caller's X-Request-ID if it is a sane one, else a new one."""
        if self._id is None:
            given = self.headers.get("x-request-id", "")
            self._id = given if given and SANE_REQUEST_ID.fullmatch(given) else new_request_id()
        return str(self._id)

    @property
    def deps(self) -> Deps:
        deps: Deps = self.app.ctx.deps
        return deps

    @property
    def route_ctx(self) -> SimpleNamespace:
        """What its route says by `ctx_…`. Only for requests that have found one."""
        assert self.route is not None
        return self.route.ctx

    @property
    def user_id(self) -> int:
        """The account that asks. Only for private routes: 0 on public ones."""
        user_id: int = self.ctx.user_id
        return user_id

    @property
    def caller(self) -> Caller:
        """Who asks, on private routes."""
        caller: Caller | None = self.ctx.caller
        assert caller is not None
        return caller

    @property
    def address(self) -> str | None:
        """The client's address, forwarded only as the settings allow; None behind a socket file."""
        return parse_address(self.remote_addr) or parse_address(self.ip)

    @property
    def agent(self) -> str | None:
        """The User-Agent, cut and free of what PostgreSQL does not store."""
        agent = self.headers.get("user-agent", "")[:AGENT_LENGTH]
        return agent.encode(errors="replace").decode().replace("\0", "") or None

    @property
    def origin(self) -> Origin:
        """Now, and where this comes from: what is kept of it with what it changes."""
        return Origin(now(), self.address, self.agent)

    async def receive_body(self) -> None:
        """Does nothing: Sanic asks before any middleware, and strangers' bodies are not waited for."""

    async def raw_chunks(self) -> AsyncIterator[bytes]:
        """The body as it arrives. A client that breaks off is told apart from one that is done.

        :raises BadRequest: it broke off
        :raises RequestTimeout: nothing came for `PATIENCE`
        """
        more = True
        while more:
            try:
                async with asyncio.timeout(PATIENCE):
                    message = await self._receive()
            except TimeoutError:
                raise RequestTimeout("the body does not come") from None
            if message["type"] != "http.request":
                raise BadRequest("the body broke off")
            more = message.get("more_body", False)
            if message.get("body"):
                yield message["body"]

    async def _receive(self) -> dict[str, Any]:
        transport = cast(MockTransport, self.transport)  # as Sanic calls what stands between it and ASGI
        return cast(dict[str, Any], await transport.receive())

    async def client_gone(self) -> None:
        """Returns when the client has closed its connection."""
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return


def new_request_id() -> str:
    return f"{getrandbits(128):032x}"


def parse_address(text: str) -> str | None:
    """An IP address in its canonical form: without port, brackets, zone or the mapping of IPv4 into IPv6."""
    bare = text.strip().removeprefix("[").partition("]")[0].partition("%")[0]
    if bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address: IPv4Address | IPv6Address = ip_address(bare)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return str(address)
