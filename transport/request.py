"""What a handler gets: Sanic's request with our context and request id, its body not read yet."""

import re
from collections.abc import Hashable, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import getrandbits
from types import SimpleNamespace
from typing import Any

import sanic
from sanic.exceptions import BadURL

from clock import now
from service.accounts.authentication import Caller, Origin
from service.deps import Deps
from service.logs.address_masks import mask_some
from transport.sanic_internals import receive_message
from transport.settings import HttpSettings, Timeouts

App = sanic.Sanic[Any, SimpleNamespace]

# Set for each request, before there is a Request object, which may never come to be.
resources: ContextVar[AsyncExitStack] = ContextVar("resources")

VALID_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
RAW_BYTE = re.compile(rb"[\x80-\xff]")
UNKNOWN = "unknown"  # an address that was not asked for yet
AGENT_LENGTH = 300  # characters kept of a User-Agent


@dataclass(slots=True)
class RequestContext:
    """What becomes known of a request on its way. `user_id` is 0 while nobody is authenticated."""

    request_id: str = ""
    caller: Caller | None = None
    user_id: int = 0
    wrote_as: int = 0  # the account that a public route made, or signed in
    headers: dict[str, str] = field(default_factory=dict)  # for the response, whatever that will be
    common_headers: Sequence[tuple[bytes, bytes]] = ()  # for it too, as they are sent
    address: str | None = UNKNOWN
    resources: AsyncExitStack = field(default_factory=AsyncExitStack)  # released when the request has ended


class Request(sanic.Request[App, Any]):
    """Sanic's request. It reads its body itself, because in ASGI mode Sanic enforces no limit."""

    def __init__(self, url: bytes, *args: Any, **kwargs: Any) -> None:
        super().__init__(encode_raw_bytes(url), *args, **kwargs)
        try:
            _ = self.path, self.query_string  # decoded anew at each use
        except (UnicodeDecodeError, AttributeError):
            raise BadURL("the URL is not UTF-8 or has no path") from None

    @staticmethod
    def make_context() -> RequestContext:
        return RequestContext(resources=resources.get())

    @property
    def id(self) -> str:
        """The client's X-Request-ID if it is a valid one, else a new one."""
        if not self.ctx.request_id:
            header = self.headers.get("x-request-id", "")
            self.ctx.request_id = header if VALID_REQUEST_ID.fullmatch(header) else new_request_id()
        return str(self.ctx.request_id)

    @property
    def deps(self) -> Deps:
        deps: Deps = self.app.ctx.deps
        return deps

    @property
    def http(self) -> HttpSettings:
        http: HttpSettings = self.app.ctx.http
        return http

    @property
    def timeouts(self) -> Timeouts:
        return self.http.timeouts

    @property
    def route_ctx(self) -> SimpleNamespace:
        """What the route declares by `ctx_…`. Only for requests that have a route."""
        assert self.route is not None
        return self.route.ctx

    @property
    def is_streamed(self) -> bool:
        """Whether the handler receives the body itself, as it comes. Only for requests that have a route."""
        assert self.route is not None
        return bool(self.route.extra.stream)

    @property
    def user_id(self) -> int:
        """The caller's account. Only for private routes: 0 on public ones."""
        user_id: int = self.ctx.user_id
        return user_id

    @property
    def caller(self) -> Caller:
        """The authenticated caller. Only for private routes."""
        caller: Caller | None = self.ctx.caller
        assert caller is not None
        return caller

    @property
    def permit_owner(self) -> Hashable:
        """Who takes the permits of heavy reads: the account, or all who look at its shares together."""
        return self.user_id if self.caller.share is None else ("shares of", self.user_id)

    @property
    def address(self) -> str | None:
        """The client's address, forwarded only as the settings allow; None behind a socket file."""
        if self.ctx.address is UNKNOWN:
            self.ctx.address = parse_address(self.remote_addr) or parse_address(self.ip)
        address: str | None = self.ctx.address
        return address

    @property
    def agent(self) -> str | None:
        """The User-Agent, cut, and without characters that PostgreSQL does not store."""
        agent = self.header_text("user-agent")
        return None if agent is None else agent[:AGENT_LENGTH]

    def header_text(self, name: str) -> str | None:
        """Return a header without characters that PostgreSQL does not store; None if it is empty."""
        return self.headers.get(name, "").encode(errors="replace").decode().replace("\0", "") or None

    @property
    def origin(self) -> Origin:
        """The time, address, agent and caller of the request, which are stored with what it changes."""
        masked_address = mask_some(self.address, self.deps.logs.address_mask)
        return Origin(now(), self.address, self.agent, self.ctx.user_id or None, masked_address)

    async def receive_body(self) -> None:
        """Do nothing. Sanic calls this before any middleware; the body is read once the caller is known."""

    async def wait_for_disconnect(self) -> None:
        """Return when the client has closed its connection."""
        while (await receive_message(self))["type"] != "http.disconnect":
            pass


def encode_raw_bytes(url: bytes) -> bytes:
    """Percent-encode what is not ASCII: some clients, such as curl, send UTF-8 as it is."""
    return url if url.isascii() else RAW_BYTE.sub(lambda byte: b"%%%02X" % byte[0][0], url)


def new_request_id() -> str:
    return f"{getrandbits(128):032x}"


@lru_cache(maxsize=4096)  # asked for again and again within a request
def parse_address(text: str) -> str | None:
    """Parse an IP address into its canonical form: without port, brackets, zone or mapping into IPv6."""
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
