"""/, /health and /ready: whether the service is there, and whether all that it stands on is."""

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.health import GreetingResponse, HealthResponse, ReadyResponse
from service.health import check_health
from transport.operations import operation
from transport.request import Request
from transport.responses import ok

blueprint = Blueprint("root")


@blueprint.get("/", ctx_public=True, ctx_limit="none")
@blueprint.post("/", name="greet_post", ctx_public=True, ctx_limit="none")
@operation(answers={200: GreetingResponse})
async def greet(request: Request) -> HTTPResponse:
    return ok(GreetingResponse().dump({"status": "ok", "name": "trawl", "version": request.deps.version}))


@blueprint.get("/health", ctx_public=True, ctx_limit="none")
@operation(answers={200: HealthResponse, 503: HealthResponse})
async def get_health(request: Request) -> HTTPResponse:
    health = await check_health(request.deps)
    return ok(HealthResponse().dump(health), status=200 if health.good else 503)


@blueprint.get("/ready", ctx_public=True, ctx_limit="none")
@operation(answers={200: ReadyResponse, 503: ReadyResponse})
async def get_ready(request: Request) -> HTTPResponse:
    """Says 503 while draining, so that no new work is sent here."""
    draining = request.app.ctx.draining
    good = not draining and (await check_health(request.deps)).good
    status = "ok" if good else "draining" if draining else "down"
    return ok(ReadyResponse().dump({"status": status}), status=200 if good else 503)
