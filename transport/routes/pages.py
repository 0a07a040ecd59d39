"""/pages/{any path}: looking at a page records a visit of the caller."""

import secrets

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.visits import PageViewResponse, VisitPageRequest
from service.visits import record as visits
from transport.operations import operation
from transport.request import Request
from transport.responses import ok
from transport.routes.visits import visitor_of

blueprint = Blueprint("pages")

visit_page_request = VisitPageRequest()
page_view_response = PageViewResponse()


@blueprint.get("/pages/<page:path>", ctx_scope="visits:write", ctx_writes=True)
@operation(
    responses={200: PageViewResponse},
    problems={422: "invalid", 503: "disk_full"},
    path={"page": {"type": "string"}},
)
async def view_page(request: Request, page: str) -> HTTPResponse:
    page_url = visit_page_request.load({"page_url": page_url_of(page, request.query_string)})["page_url"]
    if request.method == "HEAD":  # must not record a visit
        view = await visits.count_page(request.deps.db, page_url)
    else:
        view = await visits.view_page(
            request.deps, visitor_of(request), page_url, randomness=secrets.randbits
        )
    return ok(page_view_response.dump(view))


def page_url_of(path: str, query_string: str) -> str:
    """Return the URL of the page of a path, with the query as it came."""
    return f"/{path}?{query_string}" if query_string else f"/{path}"
