"""/, /health and /ready: whether the service is there, and whether all that it stands on is."""

import asyncio
from typing import Any

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.health import GreetingResponse, HealthResponse, HealthStatusResponse, ReadyResponse
from service.health import read_health
from telemetry import multiprocess
from transport.accept import accepted_types
from transport.auth import may_see_metrics, require_metrics_token
from transport.errors import RETRY_AFTER
from transport.operations import Text, operation
from transport.request import Request
from transport.responses import ok
from transport.sampling import sample_health

blueprint = Blueprint("root")

greeting_response = GreetingResponse()
detailed_health_response = HealthResponse()
health_status_response = HealthStatusResponse()
ready_response = ReadyResponse()

METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
METRICS_EXAMPLE = 'trawl_request_duration_seconds_count{method="GET",route="/tasks",status="200"} 12.0\n'


@blueprint.get("/", ctx_public=True, ctx_limit="none")
@blueprint.post("/", name="greet_post", ctx_public=True, ctx_limit="none")
@operation(responses={200: GreetingResponse, 303: None})
async def greet(request: Request) -> HTTPResponse:
    """Says that the service is there. A browser, which asks for a page first, is sent to the dashboard."""
    if request.method in {"GET", "HEAD"} and prefers_page(request):
        headers = {"location": "/dashboard", "vary": "accept"}
        return HTTPResponse(status=303, headers=headers, content_type="text/plain")
    return ok(greeting_response.dump({"status": "ok", "name": "trawl", "version": request.deps.version}))


@blueprint.get("/health", ctx_public=True, ctx_limit="none")
@operation(
    responses={200: (HealthResponse, HealthStatusResponse), 503: (HealthResponse, HealthStatusResponse)}
)
async def get_health(request: Request) -> HTTPResponse:
    """Tells its parts to those who have METRICS_TOKEN, if it is set; to others the status alone."""
    health = await read_health(request.deps)
    schema = detailed_health_response if may_see_metrics(request) else health_status_response
    return health_response(schema.dump(health), good=health.is_healthy)


@blueprint.get("/ready", ctx_public=True, ctx_limit="none")
@operation(responses={200: ReadyResponse, 503: ReadyResponse})
async def get_ready(request: Request) -> HTTPResponse:
    """Says 503 while draining, so that no new work is sent here."""
    draining = request.app.ctx.draining
    good = not draining and (await read_health(request.deps)).is_healthy
    status = "ok" if good else "draining" if draining else "down"
    return health_response(ready_response.dump({"status": status}), good=good)


def prefers_page(request: Request) -> bool:
    """Return whether what a client would like best is HTML."""
    return accepted_types(request)[:1] == ["text/html"]


def health_response(data: Any, *, good: bool) -> HTTPResponse:
    """Make a 200, or a 503 with the seconds after which to ask again."""
    response = ok(data, status=200 if good else 503)
    if not good:
        response.headers["retry-after"] = str(RETRY_AFTER)
    return response


@blueprint.get("/metrics", ctx_public=True, ctx_limit="none")
@operation(
    responses={200: {"text/plain": Text(METRICS_EXAMPLE, "Prometheus's text format")}},
    problems={401: "unauthorized"},
)
async def get_metrics(request: Request) -> HTTPResponse:
    """Counts and times over all workers. Needs METRICS_TOKEN as its token, if that is set."""
    require_metrics_token(request)
    await sample_health(request.deps)
    return HTTPResponse(await asyncio.to_thread(multiprocess.exposition), content_type=METRICS_TYPE)
