"""The Sanic application: the way of a request from the socket to its handler and back."""

import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import orjson
import structlog
from sanic import Sanic
from sanic.asgi import Lifespan
from sanic.config import Config
from sanic.exceptions import MethodNotAllowed, NotFound, SanicException
from sanic.handlers import ErrorHandler
from sanic.models.handler_types import RouteHandler
from sanic.response import BaseHTTPResponse, HTTPResponse
from sanic.router import Router
from sanic_routing.route import Route

from api.fields import MAX_INTEGER
from service.deps import Deps
from telemetry.metrics import observe_request
from transport.auth import admit
from transport.errors import problem, to_response
from transport.openapi.routes import PREFIX
from transport.parsing import MIB, read_body
from transport.request import Request, new_request_id
from transport.routes import BLUEPRINTS
from transport.sampling import start_sampling, stop_sampling

log = structlog.get_logger("trawl.http")

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
MEASURED_METHODS = frozenset({*METHODS, "OPTIONS"})  # any other name would be a metric series of its own
MAX_BODY = MIB
IDENTIFIER = re.compile("[1-9][0-9]{0,18}")
PREFLIGHT_AGE = "600"  # seconds
ASKED_HEADERS = "Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, X-Request-ID"
SHOWN_HEADERS = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Warning, X-Request-ID"

Message = dict[str, Any]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Which origins' pages may read answers (CORS), and which proxies may name the client's address."""

    cors_origins: tuple[str, ...] = ()
    proxies_count: int | None = None
    real_ip_header: str | None = None


def make_app(deps: Deps, http: HttpSettings) -> Sanic[Any, Any]:
    """Make the application on its dependencies. Several can live in one process."""
    config = Config(env_prefix=None)
    config.update(
        {"ACCESS_LOG": False, "AUTO_EXTEND": False, "MOTD": False, "PROXIES_COUNT": http.proxies_count}
        | {"REAL_IP_HEADER": http.real_ip_header}
    )
    app = Trawl(
        "trawl",
        config=config,
        ctx=SimpleNamespace(deps=deps, db=deps.db, http=http, draining=False),
        router=PrefixRouter(),
        error_handler=ProblemHandler(),
        request_class=Request,
        configure_logging=False,
        dumps=orjson.dumps,
        loads=orjson.loads,
    )
    Sanic.unregister_app(app)  # Sanic's registry takes a name once, and only its own server needs it
    add_routes(app)
    app.register_listener(start_sampling, "after_server_start")
    app.register_listener(stop_sampling, "before_server_stop")
    app.register_listener(close_deps, "after_server_stop")
    app.register_middleware(before_handler, "request")
    app.register_middleware(after_handler, "response")
    return app


def add_routes(app: Sanic[Any, Any]) -> None:
    app.router.register_pattern("id", positive_id, IDENTIFIER)
    for blueprint in BLUEPRINTS:
        app.blueprint(blueprint)


def all_routes() -> Iterable[Route]:
    """The routes, without anything that could serve them."""
    app = Sanic("routes", config=Config(env_prefix=None), router=PrefixRouter(), configure_logging=False)
    Sanic.unregister_app(app)
    add_routes(app)
    routes: Iterable[Route] = app.router.routes
    return routes


async def close_deps(app: Sanic[Any, Any]) -> None:
    """End what runs in the background and all connections, when the server has stopped."""
    deps: Deps = app.ctx.deps
    await deps.background.close()
    if deps.films is not None:
        await deps.films.close()
    await deps.cache.close()
    await deps.db.close()
    await deps.replica.close()


def positive_id(text: str) -> int:
    """A path's number, as `<task_id:id>` takes it: one that a row can have."""
    if not IDENTIFIER.fullmatch(text) or (number := int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return number


class Trawl(Sanic[Any, Any]):
    """Sanic under an ASGI server, with one log line a request and no answer that is not ours."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self.asgi = True
            self._asgi_lifespan = Lifespan(self, scope, receive, send)
            await self._asgi_lifespan()
            return
        serve: AsgiApp = super().__call__
        started = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        status = 0

        async def watched_send(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await serve(scope, receive, watched_send)
        except SanicException as error:
            # What Sanic can't make a request of: a URL or header names that are none.
            await refuse(watched_send, error)
            log.info("request_refused", status=status)
        else:
            log_request(cast(Request, Request.get_current()), status, started)


def log_request(request: Request, status: int, started: float) -> None:
    """The line of a request that has ended. The route is the template, so that no identifier is in it.

    `kind` is the operation, as the OpenAPI document names it.
    """
    seconds = time.perf_counter() - started
    route = request.uri_template
    method = request.method if request.method in MEASURED_METHODS else "other"
    observe_request(route, method, status, seconds)
    log.info(
        "request",
        method=request.method,
        route=route,
        kind=request.route.name.rpartition(".")[2] if request.route else None,
        status=status,
        duration_ms=round(seconds * 1000, 2),
    )


async def refuse(send: Callable[[Message], Awaitable[None]], error: SanicException) -> None:
    request_id = new_request_id()
    response = problem(request_id, error.status_code, "bad_request", "this is no HTTP request for a path")
    headers = [(b"content-type", b"application/problem+json"), (b"x-request-id", request_id.encode())]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


class PrefixRouter(Router):
    """Serves every path under /api/v1 too, and HEAD where GET is."""

    def _get(self, path: str, method: str, host: str | None) -> tuple[Route, RouteHandler, dict[str, Any]]:
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            path = path[len(PREFIX) :] or "/"
        return super()._get(path, "GET" if method == "HEAD" else method, host)


def methods_of(router: Router, path: str) -> list[str]:
    """The methods that a path has a route for."""
    found = []
    for method in METHODS:
        with suppress(NotFound, MethodNotAllowed):
            router.get(path, method, None)
            found.append(method)
    return found


class ProblemHandler(ErrorHandler):
    """Answers every error with a problem, and OPTIONS, which no route has, with the methods of its path."""

    def response(self, request: Request, exception: Exception) -> HTTPResponse:
        if isinstance(exception, MethodNotAllowed):
            methods = [*methods_of(request.app.router, request.path), "OPTIONS"]
            answer = to_response(request, exception)
            if request.method == "OPTIONS":
                answer = options(request, methods)
            answer.headers["allow"] = ", ".join(methods)
            return answer
        return to_response(request, exception)


def options(request: Request, methods: list[str]) -> HTTPResponse:
    """The answer to OPTIONS; to a browser's preflight only for an origin that is known."""
    response = HTTPResponse(status=204)
    if allowed_origin(request) and "access-control-request-method" in request.headers:
        response.headers["access-control-allow-methods"] = ", ".join(methods)
        response.headers["access-control-allow-headers"] = ASKED_HEADERS
        response.headers["access-control-max-age"] = PREFLIGHT_AGE
    return response


def allowed_origin(request: Request) -> str | None:
    origin: str | None = request.headers.get("origin")
    return origin if origin in request.app.ctx.http.cors_origins else None


async def before_handler(request: Request) -> None:
    """Know the caller before the body is read: strangers are not waited for."""
    structlog.contextvars.bind_contextvars(request_id=request.id)
    if request.route is None:
        return
    await admit(request)
    if request.method in ("POST", "PUT", "PATCH", "DELETE") and not request.route.extra.stream:
        limit = getattr(request.route_ctx, "max_body", MAX_BODY)
        request.body = await read_body(request, limit=limit, gzip=getattr(request.route_ctx, "gzip", False))


async def after_handler(request: Request, response: BaseHTTPResponse) -> None:
    headers = response.headers
    headers.update(request.ctx.headers)
    headers["x-request-id"] = request.id
    headers["x-content-type-options"] = "nosniff"
    headers.setdefault("cache-control", "no-store")
    if request.app.ctx.draining:
        headers["connection"] = "close"
    location = headers.get("location", "")
    if location.startswith("/") and request.path.startswith(f"{PREFIX}/"):
        headers["location"] = PREFIX + location
    origin = allowed_origin(request)
    if request.app.ctx.http.cors_origins:
        headers["vary"] = ", ".join(filter(None, (headers.get("vary"), "Origin")))
    if origin:
        headers["access-control-allow-origin"] = origin
        headers["access-control-expose-headers"] = SHOWN_HEADERS
