"""/dashboard: for those who would rather look. Its files lie in transport/dashboard/, as they are sent.

The page is public and holds no data: its scripts ask the API with the token of who signed in.
"""

from functools import cache
from pathlib import Path

from sanic import Blueprint, HTTPResponse

from service.errors import NotFound
from transport.assets import Asset, asset_names, load_asset, make_asset, send_asset, send_file
from transport.charts.style import page_style
from transport.charts.world_map import WORLD
from transport.operations import Raw, Text, operation
from transport.request import Request

blueprint = Blueprint("dashboard")

FOLDER = Path(__file__).parent.parent / "dashboard"
FOLDERS = {path.name: asset_names(path) for path in FOLDER.iterdir() if path.is_dir()}
PAGE = "index.html"
CHART_STYLE = "charts.css"  # made from the charts' palette
MAP = "world.json"  # the shapes of countries, which the charts have too
# Scripts, styles and connections are of this host alone, and none of them is inline.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "manifest-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types charts"
)
HEADERS = {
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
FRESH = "no-cache"  # revalidated at each use, so that after an upgrade all files fit each other


OPEN, CLOSED = b'name="registration" content="open"', b'name="registration" content="closed"'


@blueprint.get("/dashboard", ctx_public=True, ctx_limit="none")
@operation(responses={200: {"text/html": Text("<!doctype html>", "the dashboard")}}, etag=True)
async def show_dashboard(request: Request) -> HTTPResponse:
    page = load_page(request.http.base_path, is_open=request.deps.registration_open)
    headers = {**HEADERS, "cache-control": FRESH}
    return send_asset(request, page, "text/html; charset=utf-8", headers=headers)


@blueprint.get("/dashboard/<name:str>", ctx_public=True, ctx_limit="none")
@operation(
    responses={
        200: {
            **{kind: Text("…") for kind in ("image/svg+xml", "text/css", "text/javascript")},
            "application/json": Raw(
                {"type": "object", "description": "the outlines of a map"}, {"width": 480}
            ),
        }
    },
    path={"name": {"type": "string", "enum": sorted({*asset_names(FOLDER), CHART_STYLE, MAP})}},
    etag=True,
)
async def get_dashboard_file(request: Request, name: str) -> HTTPResponse:
    """A script, style or image of the dashboard."""
    if name == CHART_STYLE:
        headers = {"cache-control": FRESH}
        return send_asset(request, chart_style(), "text/css; charset=utf-8", headers=headers)
    if name == MAP:
        headers = {"cache-control": FRESH}
        return send_asset(request, load_asset(WORLD.parent, WORLD.name), "application/json", headers=headers)
    return send_file(request, FOLDER, name, cache_control=FRESH)


@blueprint.get("/dashboard/<folder:str>/<name:str>", ctx_public=True, ctx_limit="none")
@operation(
    responses={200: {"text/javascript": Text("…")}},
    path={
        "folder": {"type": "string", "enum": sorted(FOLDERS)},
        "name": {"type": "string", "enum": sorted({name for each in FOLDERS.values() for name in each})},
    },
    etag=True,
)
async def get_dashboard_part(request: Request, folder: str, name: str) -> HTTPResponse:
    """A script of one of the dashboard's views, or of those that they share.

    :raises NotFound: the dashboard has no such file
    """
    if folder not in FOLDERS:
        raise NotFound("there is nothing at this path")
    return send_file(request, FOLDER / folder, name, cache_control=FRESH)


@cache
def load_page(base_path: str, *, is_open: bool) -> Asset:
    """Return the page with links to its files below the base path. It says whether everybody may sign up."""
    page = load_asset(FOLDER, PAGE).plain
    page = page.replace(CLOSED, OPEN) if is_open else page
    return make_asset(page.replace(b'"/dashboard/', f'"{base_path}/dashboard/'.encode()))


@cache
def chart_style() -> Asset:
    return make_asset(page_style().encode())
