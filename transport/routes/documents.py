"""The OpenAPI document, and three pages that show it."""

from functools import cache
from pathlib import Path

import orjson
from sanic import Blueprint, HTTPResponse

from transport.assets import asset_names, load_asset, send_file
from transport.operations import Raw, Text, operation
from transport.request import App, Request
from transport.responses import JSON, with_etag

blueprint = Blueprint("documents")

FOLDER = Path(__file__).parent.parent / "openapi" / "pages"
PUBLIC_CACHE = "public, max-age=3600"
PAGE_SHAPE = {"text/html": Text("<!doctype html>", "a page that shows this document")}
# Scripts are of this host alone. The pages' scripts make styles, and ReDoc's search a worker.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


@blueprint.get("/openapi.json", ctx_public=True, ctx_limit="none")
@operation(
    responses={200: Raw({"type": "object", "description": "An OpenAPI 3.1 document"}, {"openapi": "3.1.0"})},
    etag=True,
)
async def get_openapi(request: Request) -> HTTPResponse:
    return with_etag(
        request, HTTPResponse(openapi_json(request.app, request.http.base_path), content_type=JSON)
    )


@blueprint.get("/docs", name="swagger", ctx_public=True, ctx_limit="none")
@operation(responses={200: PAGE_SHAPE, 308: None})
async def show_swagger(request: Request) -> HTTPResponse:
    return html_page(request, "swagger.html")


@blueprint.get("/redoc", name="redoc", ctx_public=True, ctx_limit="none")
@operation(responses={200: PAGE_SHAPE, 308: None})
async def show_redoc(request: Request) -> HTTPResponse:
    return html_page(request, "redoc.html")


@blueprint.get("/scalar", name="scalar", ctx_public=True, ctx_limit="none")
@operation(responses={200: PAGE_SHAPE, 308: None})
async def show_scalar(request: Request) -> HTTPResponse:
    return html_page(request, "scalar.html")


@blueprint.get("/docs/assets/<name:str>", ctx_public=True, ctx_limit="none")
@operation(
    responses={200: {"text/css": Text("…"), "text/javascript": Text("…")}},
    path={"name": {"type": "string", "enum": sorted(asset_names(FOLDER))}},
    etag=True,
)
async def get_asset(request: Request, name: str) -> HTTPResponse:
    """A script or style of the pages."""
    return send_file(request, FOLDER, name, cache_control=PUBLIC_CACHE)


def html_page(request: Request, name: str) -> HTTPResponse:
    """Answer with a page. A path that ends with a slash is redirected: relative links would fail there."""
    path = request.path.rstrip("/")
    if path != request.path:
        location = f"../{path.rpartition('/')[2]}"
        return HTTPResponse(status=308, headers={"location": location}, content_type="text/plain")
    headers = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}
    return HTTPResponse(load_asset(FOLDER, name).plain, 200, headers, "text/html; charset=utf-8")


@cache
def openapi_json(app: App, base_path: str) -> bytes:
    """Make the document of an app's routes. The first request for it waits, instead of the start."""
    from transport.openapi.document import make_document  # imports apispec, which serving seldom needs

    version = app.ctx.deps.version
    return orjson.dumps(make_document(app.router.routes, version=version, base_path=base_path))
