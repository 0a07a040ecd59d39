"""Visits: recorded one by one or many at once, listed, and counted."""

import asyncio
import secrets
import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from operator import attrgetter
from typing import Any

from marshmallow import ValidationError
from sanic import Blueprint
from sanic.response import HTTPResponse

from api.visit_lists import CountVisitsRequest, ExportVisitsRequest, ListVisitsRequest, VisitCountResponse
from api.visits import (
    RecordVisitRequest,
    RecordVisitsRequest,
    RecordVisitsResponse,
    VisitResponse,
    read_visit,
    read_visits,
)
from service.clock import now
from service.visits import queries as visit_lists
from service.visits import record as visits
from service.visits.queries import Visit
from service.visits.record import NewVisit, Verdict, Visitor
from transport.errors import pointers
from transport.exports import export
from transport.operations import Lines, Page, Text, operation
from transport.parsing import MIB, json_body, query
from transport.request import Request
from transport.responses import created, ok, page, tagged

blueprint = Blueprint("visits")

# Made once: making a schema costs more than dumping a row.
list_visits_request = ListVisitsRequest()
visit_response = VisitResponse()
record_visits_response = RecordVisitsResponse()
count_visits_request = CountVisitsRequest()
visit_count_response = VisitCountResponse()
export_visits_request = ExportVisitsRequest()

EXPORTED = tuple(visit_response.fields)
CSV_EXAMPLE = f"{','.join(EXPORTED)}\r\n"
exported = attrgetter(*EXPORTED)


def visitor_of(request: Request) -> Visitor:
    return Visitor(request.user_id, request.address, now())


@blueprint.post("/visits", ctx_scope="visits:write", ctx_limit="ingest", ctx_max_body=32 * MIB, ctx_gzip=True)
@operation(
    body=(RecordVisitRequest, RecordVisitsRequest),
    answers={201: VisitResponse, 200: (VisitResponse, RecordVisitsResponse)},
    problems={409: "conflict"},
    summary="Record a visit, or many",
)
async def record_visits(request: Request) -> HTTPResponse:
    body = json_body(request)
    if isinstance(body, dict) and "visits" in body:
        return await record_many(request, body)
    visitor = visitor_of(request)
    new = NewVisit(**read_visit(body, now=visitor.now))
    verdict = await visits.record_visit(request.deps, visitor, new, randomness=secrets.randbits)
    told = visit_response.dump(verdict.visit)
    return created(f"/visits/{verdict.visit.id}", told) if verdict.status == "created" else ok(told)


async def record_many(request: Request, body: dict[str, Any]) -> HTTPResponse:
    visitor = visitor_of(request)
    read = await asyncio.to_thread(read_visits, body, now=visitor.now)  # others are served meanwhile
    new = [NewVisit(**item) for item in read if not isinstance(item, ValidationError)]
    verdicts = await visits.record_visits(request.deps, visitor, new, randomness=secrets.randbits)
    return ok(record_visits_response.dump(bulk_answer(read, verdicts)))


def bulk_answer(read: Sequence[Any], verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What became of each visit of a body; `verdicts` are those of the valid ones, in order."""
    statuses = [verdict.status for verdict in verdicts]
    return {
        "received": len(read),
        "created": statuses.count("created"),
        "duplicates": statuses.count("duplicate"),
        "conflicts": statuses.count("conflict"),
        "invalid": len(read) - len(verdicts),
        "results": list(results(read, iter(verdicts))),
    }


def results(read: Sequence[Any], verdicts: Iterator[Verdict]) -> Iterator[dict[str, Any]]:
    for index, item in enumerate(read):
        if isinstance(item, ValidationError):
            found = [
                {"pointer": pointer, "detail": detail}
                for pointer, detail in pointers(item.messages, f"/visits/{index}")
            ]
            yield {"index": index, "status": "invalid", "errors": found}
            continue
        verdict = next(verdicts)
        if verdict.status != "created":
            yield {"index": index, "id": verdict.visit.id, "status": verdict.status}


@blueprint.get("/visits", ctx_scope="visits:read")
@operation(query=ListVisitsRequest, answers={200: Page(VisitResponse)})
async def list_visits(request: Request) -> HTTPResponse:
    asked = query(request, list_visits_request)
    rows = await visit_lists.list_visits(request.deps.replica, **asked)
    return page(
        request, visit_response, rows, limit=asked["limit"], key=lambda visit: (visit.timestamp, visit.key)
    )


@blueprint.get("/visits/<visit_id:uuid>", ctx_scope="visits:read")
@operation(answers={200: VisitResponse})
async def get_visit(request: Request, visit_id: uuid.UUID) -> HTTPResponse:
    return ok(visit_response.dump(await visit_lists.get_visit(request.deps.db, visit_id)))


@blueprint.get("/visits/stats", ctx_scope="visits:read")
@operation(query=CountVisitsRequest, answers={200: Page(VisitCountResponse)}, etag=True)
async def count_visits(request: Request) -> HTTPResponse:
    asked = query(request, count_visits_request)
    counts = await visit_lists.count_visits(request.deps.replica, **asked)
    answer = page(
        request, visit_count_response, counts, limit=asked["limit"], key=lambda count: (count.place,)
    )
    return tagged(request, answer)


@blueprint.get("/visits/export", ctx_scope="visits:read")
@operation(
    query=ExportVisitsRequest,
    answers={200: {"application/x-ndjson": Lines(VisitResponse), "text/csv": Text(CSV_EXAMPLE)}},
)
async def export_visits(request: Request) -> HTTPResponse | None:
    asked = query(request, export_visits_request)
    form = asked.pop("format")
    batches = visit_lists.export_visits(request.deps.replica, **asked)
    return await export(request, values_of(batches), names=EXPORTED, form=form, filename="visits")


async def values_of(batches: AsyncGenerator[list[Visit]]) -> AsyncGenerator[list[tuple[Any, ...]]]:
    """The exported fields of each visit."""
    async with aclosing(batches):
        async for batch in batches:
            yield [exported(visit) for visit in batch]
