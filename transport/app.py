"""The Sanic application: what every request passes on its way to its handler and back."""

import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any, cast

import orjson
import structlog
from sanic import Sanic
from sanic.config import Config
from sanic.exceptions import MethodNotAllowed, SanicException
from sanic.handlers import ErrorHandler
from sanic.response import BaseHTTPResponse, HTTPResponse
from sanic_routing.route import Route

from service.deps import Deps
from telemetry.logs import write_request_line
from telemetry.metrics import observe_request
from transport.auth import admit
from transport.base_path import leave_base_path
from transport.bodies import receive_body
from transport.errors import PROBLEM, problem, to_response
from transport.fairness import give_way
from transport.headers import COMMON_HEADERS, allowed_origin, complete_headers, with_common_headers
from transport.heads import BadHead, ForwardedWarning, check_head
from transport.linger import ObservedBody
from transport.page_cache import PageCache
from transport.replicas import begin_reading, end_writing
from transport.request import Request, new_request_id, resources
from transport.response_cache import ResponseCache
from transport.routes import BLUEPRINTS
from transport.routing import METHODS, allowed_methods, make_router
from transport.sampling import start_sampling, stop_sampling
from transport.sanic_internals import QuietSignals, abort_response, release, run_lifespan
from transport.settings import HttpSettings

log = structlog.get_logger("trawl.http")

MEASURED_METHODS = frozenset({*METHODS, "OPTIONS"})  # any other name would be a metric series of its own
PREFLIGHT_AGE = "600"  # seconds
ALLOWED_HEADERS = "Authorization, Content-Type, Content-Encoding, If-Match, If-None-Match, X-Request-ID"

Message = dict[str, Any]
AsgiApp = Callable[[Any, Any, Any], Awaitable[None]]


def make_app(
    deps: Deps, http: HttpSettings, *, forwarded_warning: ForwardedWarning | None = None
) -> Sanic[Any, Any]:
    """Make the application on its dependencies. Several can live in one process.

    :param forwarded_warning: what all workers share, so that they warn once; None for one of its own
    """
    config = Config(env_prefix=None)
    config.update(
        {"ACCESS_LOG": False, "AUTO_EXTEND": False, "MOTD": False, "PROXIES_COUNT": http.proxies_count}
        | {"REAL_IP_HEADER": http.real_ip_header}
    )
    app = Trawl(
        "trawl",
        config=config,
        ctx=SimpleNamespace(
            deps=deps,
            db=deps.db,
            http=http,
            draining=False,
            forwarded_warning=forwarded_warning or ForwardedWarning(),
            responses=ResponseCache(),
            pages=PageCache(),
        ),
        router=make_router(),
        signal_router=QuietSignals(),
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
    for blueprint in BLUEPRINTS:
        app.blueprint(blueprint)


def all_routes() -> Iterable[Route]:
    """List the routes, without an application that could serve them."""
    app = Sanic("routes", config=Config(env_prefix=None), router=make_router(), configure_logging=False)
    Sanic.unregister_app(app)
    add_routes(app)
    routes: Iterable[Route] = app.router.routes
    return routes


async def close_deps(app: Sanic[Any, Any]) -> None:
    """End the background tasks and close all connections, when the server has stopped."""
    deps: Deps = app.ctx.deps
    await deps.background.close()
    if deps.films is not None:
        await deps.films.close()
    await deps.cache.close()
    await deps.replica.close()
    await deps.db.close()


class Trawl(Sanic[Any, Any]):
    """Sanic under an ASGI server. It logs each request once, and every error is a problem document."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await run_lifespan(self, scope, receive, send)
            return
        serve: AsgiApp = super().__call__
        start = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        status = 0

        async def send_completed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = with_common_headers(message)
            await send(message)

        http: HttpSettings = self.ctx.http
        if not http.believes_proxies:
            self.ctx.forwarded_warning.check(scope)
        body = ObservedBody(scope, receive)
        request: Request | None = None
        try:
            async with AsyncExitStack() as stack:
                resources.set(stack)
                check_head(scope, http.allowed_hosts)
                await serve(leave_base_path(scope, http.base_path), body.receive, send_completed)
        except SanicException as error:
            # Its head is refused, or Sanic can't make a request of it: the URL or a header name is malformed.
            await refuse(send, error)
            log.info("request_refused", status=error.status_code)
        else:
            request = cast(Request, Request.get_current())
            log_request(request, status, start)
        if not body.is_complete:
            await body.discard(http.linger)
            await give_way(self, scope["client"][0])
        if request is not None:
            if not body.is_complete:
                abort_response(request)  # the server closes a connection that nothing refers to any more
            release(request)


def log_request(request: Request, status: int, start: float) -> None:
    """Log and measure a request that has ended. `route` is the template, so that it holds no identifier.

    `kind` is the operation, as the OpenAPI document names it. Of a request of nobody the user is null.
    """
    seconds = time.perf_counter() - start
    route = request.uri_template
    method = request.method if request.method in MEASURED_METHODS else "other"
    observe_request(route, method, status, seconds)
    caller = request.ctx.caller
    write_request_line(
        {
            "request_id": request.id,
            "user_id": None if caller is None else caller.user_id,
            "method": request.method,
            "route": route,
            "kind": request.route.name.rpartition(".")[2] if request.route else None,
            "status": status,
            "duration_ms": round(seconds * 1000, 2),
        }
    )


async def refuse(send: Callable[[Message], Awaitable[None]], error: SanicException) -> None:
    """Send the problem of a request for which there is no Request object. What follows it is not read."""
    request_id = new_request_id()
    if isinstance(error, BadHead):
        response = problem(request_id, error.status_code, error.code, str(error))
    else:
        detail = "this is not an HTTP request for a path"
        response = problem(request_id, error.status_code, "bad_request", detail)
    names = COMMON_HEADERS | {"content-type": PROBLEM, "x-request-id": request_id, "connection": "close"}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


class ProblemHandler(ErrorHandler):
    """Answers every error with a problem, and OPTIONS, which no route has, with the methods of its path."""

    def response(self, request: Request, exception: Exception) -> HTTPResponse:
        response = self._respond(request, exception)
        drop_tracebacks(exception)
        return response

    def _respond(self, request: Request, exception: Exception) -> HTTPResponse:
        if not isinstance(exception, MethodNotAllowed):
            return to_response(request, exception)
        methods = [*allowed_methods(request.app.router, request.path), "OPTIONS"]
        is_options = request.method == "OPTIONS"
        response = options(request, methods) if is_options else to_response(request, exception)
        response.headers["allow"] = ", ".join(methods)
        return response


def drop_tracebacks(error: BaseException | None) -> None:
    """Let go of the frames that an error and its causes passed, some of which refer to the error."""
    while error is not None and error.__traceback__ is not None:  # causes may go in a circle
        error.__traceback__ = None
        error = error.__context__


def options(request: Request, methods: list[str]) -> HTTPResponse:
    """Answer OPTIONS. A browser's preflight learns more only if its origin is allowed."""
    response = HTTPResponse(status=204)
    if allowed_origin(request) and "access-control-request-method" in request.headers:
        response.headers["access-control-allow-methods"] = ", ".join(methods)
        response.headers["access-control-allow-headers"] = ALLOWED_HEADERS
        response.headers["access-control-max-age"] = PREFLIGHT_AGE
    return response


async def before_handler(request: Request) -> None:
    """Admit the caller before the body is read, so that strangers' bodies are not waited for."""
    structlog.contextvars.bind_contextvars(request_id=request.id)
    if request.route is None:
        return
    await admit(request)
    begin_reading(request)
    if request.method in ("POST", "PUT", "PATCH", "DELETE"):
        await receive_body(request)


async def after_handler(request: Request, response: BaseHTTPResponse) -> None:
    await end_writing(request)
    complete_headers(request, response)
