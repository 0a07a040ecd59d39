"""/events: taken in bulk, listed, exported."""

import asyncio

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.events import (
    CreateEventsRequest,
    CreateEventsResponse,
    EventRequest,
    EventResponse,
    ExportEventsRequest,
    ListEventsRequest,
)
from service import clock
from service.events import events
from transport.bulk.events import read_json, read_ndjson
from transport.exports import export
from transport.operations import Lines, Page, Text, operation
from transport.parsing import MIB, query, require_media_type
from transport.request import Request
from transport.responses import ok, page

blueprint = Blueprint("events")

READERS = {"application/json": read_json, "application/x-ndjson": read_ndjson}
LONG_BODY = MIB // 2  # bytes; reading more would keep other requests waiting

CSV_EXAMPLE = (
    "event_id,user_id,event_type,occurred_at,properties\r\n"
    '0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40,7,view,2018-08-01T03:00:00Z,"{""page"":""/""}"\r\n'
)

# Made once: making a schema costs more than dumping a row.
create_response = CreateEventsResponse()
list_request = ListEventsRequest()
event_response = EventResponse()


@blueprint.post("/events", ctx_scope="events:write", ctx_limit="ingest", ctx_max_body=32 * MIB, ctx_gzip=True)
@operation(
    body={"application/json": CreateEventsRequest, "application/x-ndjson": Lines(EventRequest)},
    answers={200: CreateEventsResponse},
)
async def create_events(request: Request) -> HTTPResponse:
    read = READERS[require_media_type(request, *READERS)]
    now = clock.now()
    if len(request.body) > LONG_BODY:
        batch = await asyncio.to_thread(read, request.body, now=now)
    else:
        batch = read(request.body, now=now)
    return ok(create_response.dump(await events.create_events(request.deps, batch)))


@blueprint.get("/events", ctx_scope="events:read")
@operation(query=ListEventsRequest, answers={200: Page(EventResponse)})
async def list_events(request: Request) -> HTTPResponse:
    asked = query(request, list_request)
    rows = await events.list_events(request.deps.replica, **asked)
    return page(
        request,
        event_response,
        rows,
        limit=asked["limit"],
        key=lambda row: (row.occurred_at, str(row.event_id)),
    )


@blueprint.get("/events/export", ctx_scope="events:read")
@operation(
    query=ExportEventsRequest,
    answers={200: {"application/x-ndjson": Lines(EventResponse), "text/csv": Text(CSV_EXAMPLE)}},
)
async def export_events(request: Request) -> HTTPResponse | None:
    asked = query(request, ExportEventsRequest())
    form = asked.pop("format")
    rows = events.export_events(request.deps.replica, **asked)
    return await export(request, rows, names=list(event_response.fields), form=form, filename="events")
