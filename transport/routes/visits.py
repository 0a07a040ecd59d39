"""Visits: recorded one by one or many at once, listed, and counted."""

import asyncio
import secrets
import uuid
from typing import Any

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.limits import MAX_BULK_BODY, MIB
from api.visit_lists import CountVisitsRequest, ExportVisitsRequest, ListVisitsRequest, VisitCountResponse
from api.visits import (
    RecordVisitRequest,
    RecordVisitsRequest,
    RecordVisitsResponse,
    VisitResponse,
    load_visit,
)
from clock import now
from service.visits import queries as visit_lists
from service.visits import record as visits
from service.visits.record import NewVisit, Visitor
from transport.bulk.visits import read_visits, summarise
from transport.heavy import heavy_export, heavy_read
from transport.operations import Array, Lines, Page, Text, operation
from transport.page_cache import PageCache
from transport.parsing import json_body, query
from transport.request import Request
from transport.response_cache import cache_response
from transport.responses import created, ok, page, with_etag
from transport.streaming import stream_file

blueprint = Blueprint("visits")

# Made once: making a schema costs more than dumping a row.
list_visits_request = ListVisitsRequest()
visit_response = VisitResponse()
record_visits_response = RecordVisitsResponse()
count_visits_request = CountVisitsRequest()
visit_count_response = VisitCountResponse()
export_visits_request = ExportVisitsRequest()

LONG_BODY = MIB // 2  # bytes

CSV_EXAMPLE = f"{','.join(visit_response.fields)}\r\n"


def visitor_of(request: Request) -> Visitor:
    agent, referrer = request.header_text("user-agent"), request.header_text("referer")
    return Visitor(request.user_id, request.address, now(), agent, referrer)


@blueprint.post(
    "/visits",
    ctx_scope="visits:write",
    ctx_limit="ingest",
    ctx_bulk=True,
    ctx_max_body=MAX_BULK_BODY,
    ctx_gzip=True,
)
@operation(
    body=(RecordVisitRequest, RecordVisitsRequest, Array(RecordVisitRequest)),
    responses={201: VisitResponse, 200: (VisitResponse, RecordVisitsResponse)},
    problems={409: "conflict"},
)
async def record_visits(request: Request) -> HTTPResponse:
    # Parsing more would keep other requests waiting.
    is_long = len(request.body) > LONG_BODY
    body = await asyncio.to_thread(json_body, request) if is_long else json_body(request)
    if isinstance(body, list) or (isinstance(body, dict) and "visits" in body):
        return await record_many(request, {"visits": body} if isinstance(body, list) else body)
    visitor = visitor_of(request)
    new = NewVisit(**load_visit(body, now=visitor.now))
    outcome = await visits.record_visit(request.deps, visitor, new, randomness=secrets.randbits)
    visit = visit_response.dump(outcome.visit)
    return created(f"/visits/{outcome.visit.id}", visit) if outcome.status == "created" else ok(visit)


async def record_many(request: Request, body: dict[str, Any]) -> HTTPResponse:
    visitor = visitor_of(request)
    batch = await asyncio.to_thread(read_visits, body, now=visitor.now)  # other requests go on meanwhile
    statuses = await visits.record_visits(request.deps, visitor, batch.visits, randomness=secrets.randbits)
    return ok(record_visits_response.dump(summarise(batch, statuses)))


@blueprint.get("/visits", ctx_scope="visits:read")
@operation(query=ListVisitsRequest, responses={200: Page(VisitResponse)})
@heavy_read
async def list_visits(request: Request) -> HTTPResponse:
    parameters = query(request, list_visits_request)
    rows = await visit_lists.list_visits(request.deps.replica, request.deps.columns, **parameters)
    pages: PageCache = request.app.ctx.pages
    cached = pages.get(request, rows)
    if cached is not None:
        return cached
    response = page(
        request,
        visit_response,
        rows,
        limit=parameters["limit"],
        key=lambda visit: (visit.timestamp, visit.id),
    )
    pages.put(request, rows, response)
    return response


@blueprint.get("/visits/<visit_id:uuid>", ctx_scope="visits:read")
@operation(responses={200: VisitResponse})
async def get_visit(request: Request, visit_id: uuid.UUID) -> HTTPResponse:
    visit = await visit_lists.get_visit(request.deps.db, request.deps.columns, visit_id)
    return ok(visit_response.dump(visit))


@blueprint.get("/visits/stats", ctx_scope="visits:read", ctx_share="statistics")
@operation(query=CountVisitsRequest, responses={200: Page(VisitCountResponse)}, etag=True)
@cache_response
@heavy_read
async def count_visits(request: Request) -> HTTPResponse:
    parameters = query(request, count_visits_request)
    counts = await visit_lists.count_visits(request.deps.replica, request.deps.columns, **parameters)
    response = page(
        request, visit_count_response, counts, limit=parameters["limit"], key=lambda count: (count.place,)
    )
    return with_etag(request, response)


@blueprint.get("/visits/export", ctx_scope="visits:read")
@operation(
    query=ExportVisitsRequest,
    responses={200: {"application/x-ndjson": Lines(VisitResponse), "text/csv": Text(CSV_EXAMPLE)}},
)
@heavy_export
async def export_visits(request: Request) -> HTTPResponse | None:
    parameters = query(request, export_visits_request)
    form, raw = parameters.pop("format"), parameters.pop("raw")
    from service.visits.exports import export_visits as export
    from transport.visit_export import export_chunks

    batches = export(request.deps.replica, request.deps.columns, **parameters)
    chunks = export_chunks(batches, form=form, raw=raw)
    return await stream_file(request, chunks, form=form, filename="visits")
