"""Imports of access logs: start one, watch it, read what it rejected."""

from datetime import UTC, datetime

from sanic import Blueprint, HTTPResponse

from api.imports import (
    ImportResponse,
    ListImportsRequest,
    ListRejectsRequest,
    ParseLogRequest,
    RejectResponse,
)
from service import imports
from transport.operations import Page, operation
from transport.parsing import query
from transport.request import Request
from transport.responses import accepted, no_content, ok, page

blueprint = Blueprint("imports")


@blueprint.get("/parse", ctx_scope="imports:write")
@blueprint.post("/parse", name="parse_post", ctx_scope="imports:write")
@operation(
    query=ParseLogRequest,
    answers={200: ImportResponse, 202: ImportResponse},
    problems={404: "no_such_log"},
)
async def parse_log(request: Request) -> HTTPResponse:
    asked = query(request, ParseLogRequest())
    if request.method == "HEAD":  # asks what GET would answer, and must not import
        return no_content()
    deps = request.deps
    record = await imports.parse_log(
        deps.db, deps.geo, deps.logs, deps.background, **asked, clock=lambda: datetime.now(UTC)
    )
    answer = ImportResponse().dump(record)
    return accepted(f"/imports/{record.id}", answer) if record.status == "running" else ok(answer)


@blueprint.get("/imports", ctx_scope="imports:read")
@operation(query=ListImportsRequest, answers={200: Page(ImportResponse)})
async def list_imports(request: Request) -> HTTPResponse:
    asked = query(request, ListImportsRequest())
    rows = await imports.list_imports(request.deps.replica, **asked)
    return page(request, ImportResponse(), rows, limit=asked["limit"], key=lambda row: (row.id,))


@blueprint.get("/imports/<import_id:id>", ctx_scope="imports:read")
@operation(answers={200: ImportResponse})
async def get_import(request: Request, import_id: int) -> HTTPResponse:
    record = await imports.get_import(request.deps.db, import_id)
    return ok(ImportResponse().dump(record))


@blueprint.get("/imports/<import_id:id>/rejects", ctx_scope="imports:read")
@operation(query=ListRejectsRequest, answers={200: Page(RejectResponse)})
async def list_rejects(request: Request, import_id: int) -> HTTPResponse:
    asked = query(request, ListRejectsRequest())
    rows = await imports.list_rejects(request.deps.db, import_id, **asked)
    return page(request, RejectResponse(), rows, limit=asked["limit"], key=lambda row: (row.line,))
