"""/events: taken in bulk, listed, exported."""

import asyncio
from functools import partial

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
from api.limits import MAX_BULK_BODY, MIB
from clock import now
from service.events import events
from transport.bulk.events import read_json, read_ndjson
from transport.heavy import heavy_export, heavy_read
from transport.operations import Array, Lines, Page, Text, operation
from transport.parsing import BOM, query, require_media_type
from transport.request import Request
from transport.responses import ok, page
from transport.streaming import stream_export

blueprint = Blueprint("events")

READERS = {"application/json": read_json, "application/x-ndjson": read_ndjson}
LONG_BODY = MIB // 2  # bytes; parsing more would keep other requests waiting

CSV_EXAMPLE = (
    "event_id,user_id,event_type,occurred_at,properties\r\n"
    '0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40,7,view,2018-08-01T03:00:00Z,"{""page"":""/""}"\r\n'
)

# Made once: making a schema costs more than dumping a row.
create_response = CreateEventsResponse()
list_request = ListEventsRequest()
event_response = EventResponse()
export_events_request = ExportEventsRequest()

FIELDS = tuple(event_response.fields)


@blueprint.post(
    "/events",
    ctx_scope="events:write",
    ctx_limit="ingest",
    ctx_bulk=True,
    ctx_max_body=MAX_BULK_BODY,
    ctx_gzip=True,
)
@operation(
    body={
        "application/json": (CreateEventsRequest, Array(EventRequest)),
        "application/x-ndjson": Lines(EventRequest),
    },
    responses={200: CreateEventsResponse},
)
async def create_events(request: Request) -> HTTPResponse:
    body = request.body.removeprefix(BOM)
    read = partial(READERS[require_media_type(request, *READERS)], body, now=now())
    batch = await asyncio.to_thread(read) if len(request.body) > LONG_BODY else read()
    return ok(create_response.dump(await events.create_events(request.deps, batch)))


@blueprint.get("/events", ctx_scope="events:read")
@operation(query=ListEventsRequest, responses={200: Page(EventResponse)})
@heavy_read
async def list_events(request: Request) -> HTTPResponse:
    parameters = query(request, list_request)
    rows = await events.list_events(request.deps.replica, **parameters)
    return page(
        request,
        event_response,
        rows,
        limit=parameters["limit"],
        key=lambda row: (row.occurred_at, str(row.event_id)),
    )


@blueprint.get("/events/export", ctx_scope="events:read")
@operation(
    query=ExportEventsRequest,
    responses={200: {"application/x-ndjson": Lines(EventResponse), "text/csv": Text(CSV_EXAMPLE)}},
)
@heavy_export
async def export_events(request: Request) -> HTTPResponse | None:
    parameters = query(request, export_events_request)
    form, raw = parameters.pop("format"), parameters.pop("raw")
    rows = events.export_events(request.deps.replica, **parameters)
    return await stream_export(request, rows, names=FIELDS, form=form, filename="events", raw=raw)
