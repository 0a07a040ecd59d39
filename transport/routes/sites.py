"""Sites: admins make them; their pages report views, with a script, an image, or requests of their own."""

import base64
import secrets
from pathlib import Path

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.limits import MAX_VIEW_BODY
from api.sites import (
    CollectRequest,
    CollectResponse,
    CreateSiteRequest,
    ListSitesRequest,
    PixelRequest,
    SiteResponse,
)
from service.visits import sites
from transport.assets import load_asset, send_asset
from transport.operations import Page, Text, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import JSON, created, no_content, page
from transport.site_views import (
    CROSS_ORIGIN,
    allow_origin,
    dump_outcome,
    read_posted_view,
    record_pixel_view,
    record_view,
)

blueprint = Blueprint("sites")

create_site_request = CreateSiteRequest()
site_response = SiteResponse()
list_sites_request = ListSitesRequest()

FOLDER = Path(__file__).parent.parent / "snippet"
SCRIPT_CACHE = "public, max-age=3600"
PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")  # transparent
PREFLIGHT_AGE = "86400"  # seconds; browsers keep it for less


@blueprint.post("/sites", ctx_admin=True)
@operation(body=CreateSiteRequest, responses={201: SiteResponse}, problems={409: "quota_exceeded"})
async def create_site(request: Request) -> HTTPResponse:
    new = body(request, create_site_request)
    site = await sites.create_site(request.deps, **new, secret=secrets.token_bytes(16), origin=request.origin)
    return created(f"/sites/{site.id}", site_response.dump(site))


@blueprint.get("/sites", ctx_admin=True)
@operation(query=ListSitesRequest, responses={200: Page(SiteResponse)})
async def list_sites(request: Request) -> HTTPResponse:
    parameters = query(request, list_sites_request)
    rows = await sites.list_sites(request.deps.db, **parameters)
    return page(request, site_response, rows, limit=parameters["limit"], key=lambda row: (row.id,))


@blueprint.delete("/sites/<site_id:id>", ctx_admin=True)
@operation(responses={204: None})
async def delete_site(request: Request, site_id: int) -> HTTPResponse:
    """No view is recorded for its key any more. What was recorded stays."""
    await sites.delete_site(request.deps, site_id, request.origin)
    return no_content()


@blueprint.get("/trawl.js", ctx_public=True, ctx_limit="none")
@operation(responses={200: {"text/javascript": Text("…", "the script for pages of sites")}}, etag=True)
async def get_script(request: Request) -> HTTPResponse:
    headers = {**CROSS_ORIGIN, "cache-control": SCRIPT_CACHE, "access-control-allow-origin": "*"}
    script = load_asset(FOLDER, "trawl.js")
    return send_asset(request, script, "text/javascript; charset=utf-8", headers=headers)


@blueprint.post("/collect", stream=True, ctx_public=True, ctx_limit="collect", ctx_max_body=MAX_VIEW_BODY)
@operation(
    body={
        "application/json": CollectRequest,
        "text/plain": Text('{"site": "…", "page_url": "…"}', "the same"),
    },
    responses={202: CollectResponse},
)
async def collect_view(request: Request) -> HTTPResponse:
    """Answers 202 whatever came, so that no page breaks; `status` says what became of it.

    Of a page of the site's origins only: the header `Origin` says that, else `Referer`.
    """
    outcome = await record_view(request, read_posted_view)
    response = HTTPResponse(dump_outcome(outcome), 202, content_type=JSON)
    await allow_origin(request, response)
    return response


@blueprint.options("/collect", name="preflight", ctx_public=True, ctx_limit="none")
async def allow_collect(request: Request) -> HTTPResponse:
    """Answer the preflight of a script that declares its body as JSON."""
    response = HTTPResponse(status=204, headers={"allow": "POST, OPTIONS"})
    if await allow_origin(request, response):
        response.headers["access-control-allow-methods"] = "POST"
        response.headers["access-control-allow-headers"] = "Content-Type"
        response.headers["access-control-max-age"] = PREFLIGHT_AGE
    return response


@blueprint.get("/pixel.gif", ctx_public=True, ctx_limit="collect")
@operation(query=PixelRequest, responses={202: {"image/gif": Text("GIF89a…", "one transparent pixel")}})
async def get_pixel(request: Request) -> HTTPResponse:
    """An image for pages without scripts; loading it reports a view. Answers 202 whatever came."""
    if request.method != "HEAD":  # must not record a visit
        await record_pixel_view(request)
    return HTTPResponse(PIXEL, 202, CROSS_ORIGIN, "image/gif")
