"""Imports of access logs: start one, watch it, read what it rejected, cancel and undo it."""

from sanic import Blueprint, HTTPResponse

from api.imports import (
    ImportResponse,
    ListImportsRequest,
    ListRejectsRequest,
    ParseLogRequest,
    RejectResponse,
    UploadForm,
    UploadLogRequest,
)
from clock import now
from service.imports import jobs as imports
from service.imports import undo as import_undo
from transport.auth import require_admin
from transport.bodies import open_upload
from transport.multipart import FORM
from transport.operations import Binary, Page, Text, operation
from transport.parsing import is_gzipped, query
from transport.request import Request
from transport.responses import accepted, no_content, ok, page

blueprint = Blueprint("imports")

parse_log_request = ParseLogRequest()
import_response = ImportResponse()
upload_log_request = UploadLogRequest()
list_imports_request = ListImportsRequest()
list_rejects_request = ListRejectsRequest()
reject_response = RejectResponse()

LINE = "shop_api      | 2018-08-01 00:01:35 [YQ3J8G5A] INFO: 121.165.118.201 https://shop.example/caviar/\n"


@blueprint.get("/parse", ctx_scope="imports:write", ctx_writes=True)
@blueprint.post("/parse", name="parse_post", ctx_scope="imports:write")
@operation(
    query=ParseLogRequest,
    responses={200: ImportResponse, 202: ImportResponse},
    problems={403: "admins_only", 404: "no_such_log", 409: "import_running", 503: "disk_full"},
)
async def parse_log(request: Request) -> HTTPResponse:
    parameters = query(request, parse_log_request)
    if parameters["file"] is not None:
        require_admin(request)
    if request.method == "HEAD":  # must not import anything
        return no_content()
    deps = request.deps
    record = await imports.parse_log(
        deps.db,
        deps.geo,
        deps.logs,
        deps.background,
        **parameters,
        clock=now,
        is_draining=lambda: request.app.ctx.draining,
    )
    response = import_response.dump(record)
    return accepted(f"/imports/{record.id}", response) if record.status == "running" else ok(response)


@blueprint.post("/imports", ctx_admin=True, ctx_bulk=True, stream=True)
@operation(
    query=UploadLogRequest,
    body={
        "application/octet-stream": Binary("a log, plain or gzip, as under any type but these", LINE),
        "application/gzip": Binary("a log in gzip"),
        "text/plain": Text(LINE, "a log"),
        FORM: UploadForm,
    },
    responses={202: ImportResponse},
)
async def upload_log(request: Request) -> HTTPResponse:
    deps = request.deps
    parameters = query(request, upload_log_request)
    gzipped = is_gzipped(request)
    upload = await open_upload(request)
    parameters["name"] = parameters["name"] or upload_name(upload.name)
    record = await imports.upload_log(
        deps.db,
        deps.geo,
        deps.logs,
        upload.pieces,
        **parameters,
        gzipped=gzipped,
        size=upload.size,
        clock=now,
        origin=request.origin,
    )
    return accepted(f"/imports/{record.id}", import_response.dump(record))


def upload_name(file_name: str) -> str:
    """Return the name of an import for that of a file in a form.

    :raises ValidationError: it is too long, or no text
    """
    name: str = upload_log_request.load({"name": file_name} if file_name else {})["name"]
    return name or "upload"


@blueprint.get("/imports", ctx_scope="imports:read")
@operation(query=ListImportsRequest, responses={200: Page(ImportResponse)})
async def list_imports(request: Request) -> HTTPResponse:
    parameters = query(request, list_imports_request)
    rows = await imports.list_imports(request.deps.replica, **parameters)
    return page(request, import_response, rows, limit=parameters["limit"], key=lambda row: (row.id,))


@blueprint.get("/imports/<import_id:id>", ctx_scope="imports:read")
@operation(responses={200: ImportResponse})
async def get_import(request: Request, import_id: int) -> HTTPResponse:
    record = await imports.get_import(request.deps.db, import_id)
    return ok(import_response.dump(record))


@blueprint.delete("/imports/<import_id:id>", ctx_admin=True)
@operation(responses={200: ImportResponse, 202: ImportResponse}, problems={409: "import_running"})
async def delete_import(request: Request, import_id: int) -> HTTPResponse:
    deps = request.deps
    record = await import_undo.delete_import(
        deps.db, deps.background, import_id, clock=now, origin=request.origin
    )
    response = import_response.dump(record)
    is_over = record.status != "running" and not import_undo.is_being_undone(record)
    return ok(response) if is_over else accepted(f"/imports/{record.id}", response)


@blueprint.get("/imports/<import_id:id>/rejects", ctx_scope="imports:read")
@operation(query=ListRejectsRequest, responses={200: Page(RejectResponse)})
async def list_rejects(request: Request, import_id: int) -> HTTPResponse:
    parameters = query(request, list_rejects_request)
    with_text = request.caller.is_admin
    rows = await imports.list_rejects(request.deps.db, import_id, with_text=with_text, **parameters)
    return page(request, reject_response, rows, limit=parameters["limit"], key=lambda row: (row.line,))
