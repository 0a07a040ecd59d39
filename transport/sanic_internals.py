"""All that we use of Sanic beyond its documentation. No other module touches what is not documented.

Each function works with `SANIC_VERSION`. A test fails on any other one, so that an upgrade begins here.
"""

from enum import Enum
from typing import Any

from sanic import Request, Sanic
from sanic.asgi import Lifespan
from sanic.headers import parse_content_header
from sanic.models.asgi import ASGIReceive, ASGIScope, ASGISend
from sanic.models.handler_types import RouteHandler
from sanic.router import Router
from sanic.signals import SignalRouter
from sanic_routing.route import Route

SANIC_VERSION = "25.12.1"
REQUEST_SIGNALS = "http."


class PrefixRouter(Router):
    """Finds the route of a path also where `prefix` stands before the path, and that of GET for HEAD."""

    def __init__(self, prefix: str) -> None:
        super().__init__()
        self.prefix = prefix

    def _get(self, path: str, method: str, host: str | None) -> tuple[Route, RouteHandler, dict[str, Any]]:
        if path == self.prefix or path.startswith(f"{self.prefix}/"):
            path = path[len(self.prefix) :] or "/"
        return super()._get(path, "GET" if method == "HEAD" else method, host)


class QuietSignals(SignalRouter):
    """Dispatches no signal of a request while nobody listens to any.

    Sanic's own optimisation at the start leaves one, whose vain search costs a tenth of a bare request.
    """

    async def dispatch(self, event: str | Enum, **kwargs: Any) -> Any:
        if str(getattr(event, "value", event)).startswith(REQUEST_SIGNALS) and not self.has_listeners:
            return None
        return await super().dispatch(event, **kwargs)

    def finalize(self, do_compile: bool = True, do_optimize: bool = False) -> None:
        super().finalize(do_compile, do_optimize)
        self.has_listeners = any(signal.path.startswith(REQUEST_SIGNALS) for signal in self.routes)


def parse_options(header: str) -> dict[str, str]:
    """Parse the parameters of a header such as `form-data; name="a"`, their names in lower case."""
    _, options = parse_content_header(header)
    return {name: str(value) for name, value in options.items()}


async def run_lifespan(app: Sanic[Any, Any], scope: ASGIScope, receive: ASGIReceive, send: ASGISend) -> None:
    """Start and stop the application as the ASGI server says.

    Sanic's own `__call__` would set up its logging, too.
    """
    app.asgi = True
    await Lifespan(app, scope, receive, send)()


async def receive_message(request: Request[Any, Any]) -> dict[str, Any]:
    """Wait for the next ASGI message of the request's client: a chunk of its body, or that it has left."""
    transport: Any = request.transport  # a MockTransport, as Sanic calls what stands between it and ASGI
    message: dict[str, Any] = await transport.receive()
    return message


def abort_response(request: Request[Any, Any]) -> None:
    """Make the server close the connection without the mark of a complete response.

    It does so when nothing refers to its end of the connection any more. Sanic's objects refer to it, and to
    each other, so they would keep it until the garbage collector finds them.
    """
    stream: Any = request.stream
    stream.send = None  # Sanic takes such a response for ended, and does not end it itself
    vars(request.transport).update(_send=None, _receive=None)


def release(request: Request[Any, Any]) -> None:
    """Let go of a request that has ended: Sanic's objects of it refer to each other.

    They would all wait for the garbage collector, which stops the event loop for a tenth of a second where
    thousands of requests have ended.
    """
    stream: Any = request.stream
    stream.request = stream.response = None
