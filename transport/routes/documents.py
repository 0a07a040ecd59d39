"""The OpenAPI document."""

from functools import cache

import orjson
from sanic import Blueprint, HTTPResponse

from transport.openapi.document import make_document
from transport.operations import Raw, operation
from transport.request import App, Request
from transport.responses import JSON, tagged

blueprint = Blueprint("documents")


@blueprint.get("/openapi.json", ctx_public=True, ctx_limit="none")
@operation(
    answers={200: Raw({"type": "object", "description": "An OpenAPI 3.1 document"}, {"openapi": "3.1.0"})},
    summary="This document",
    etag=True,
)
async def get_openapi(request: Request) -> HTTPResponse:
    return tagged(request, HTTPResponse(openapi_json(request.app), content_type=JSON))


@cache
def openapi_json(app: App) -> bytes:
    """The document of an app's routes, made when it is first asked for: the start can't wait for it."""
    return orjson.dumps(make_document(app.router.routes, version=app.ctx.deps.version))
