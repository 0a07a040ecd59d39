"""/tasks: what the caller wants to have done."""

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.tasks import (
    CreateTaskRequest,
    ListTasksRequest,
    ReplaceTaskRequest,
    TaskResponse,
    UpdateTaskRequest,
)
from service import tasks
from service.tasks import TaskRow
from transport.heavy import heavy_read
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import (
    created,
    make_etag,
    no_content,
    not_modified,
    ok,
    page,
    satisfies_if_match,
    with_etag,
)

blueprint = Blueprint("tasks")

# Made once: making a schema costs more than dumping a row.
create_request = CreateTaskRequest()
replace_request = ReplaceTaskRequest()
update_request = UpdateTaskRequest()
list_request = ListTasksRequest()
task_response = TaskResponse()


def task_etag(task: TaskRow) -> str:
    return make_etag(f"{task.id} {task.updated_at.isoformat()}")


def show_task(request: Request, task: TaskRow) -> HTTPResponse:
    etag = task_etag(task)
    return not_modified(request, etag) or with_etag(request, ok(task_response.dump(task)), etag)


@blueprint.post("/tasks", ctx_scope="tasks:write")
@operation(body=CreateTaskRequest, responses={201: TaskResponse}, problems={409: "quota_exceeded"}, etag=True)
async def create_task(request: Request) -> HTTPResponse:
    new = body(request, create_request)
    deps = request.deps
    task = await tasks.create_task(
        deps.db, request.user_id, quota=deps.quotas.tasks, now=request.origin.at, **new
    )
    return with_etag(request, created(f"/tasks/{task.id}", task_response.dump(task)), task_etag(task))


@blueprint.get("/tasks", ctx_scope="tasks:read")
@operation(query=ListTasksRequest, responses={200: Page(TaskResponse)}, etag=True)
@heavy_read
async def list_tasks(request: Request) -> HTTPResponse:
    parameters = query(request, list_request)
    rows = await tasks.list_tasks(request.deps.replica, request.user_id, **parameters)
    response = page(
        request,
        task_response,
        rows,
        limit=parameters["limit"],
        key=lambda row: (parameters["sort"], tasks.sort_value(row, parameters["sort"]), row.id),
    )
    return with_etag(request, response)


@blueprint.get("/tasks/<task_id:id>", ctx_scope="tasks:read")
@operation(responses={200: TaskResponse}, etag=True)
async def get_task(request: Request, task_id: int) -> HTTPResponse:
    return show_task(request, await tasks.get_task(request.deps.db, request.user_id, task_id))


@blueprint.put("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(body=ReplaceTaskRequest, responses={200: TaskResponse}, etag=True, if_match=True)
async def replace_task(request: Request, task_id: int) -> HTTPResponse:
    return await change_task(request, task_id, body(request, replace_request))


@blueprint.patch("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(body=UpdateTaskRequest, responses={200: TaskResponse}, etag=True, if_match=True)
async def update_task(request: Request, task_id: int) -> HTTPResponse:
    return await change_task(request, task_id, body(request, update_request))


async def change_task(request: Request, task_id: int, changes: dict[str, object]) -> HTTPResponse:
    task = await tasks.update_task(
        request.deps.db,
        request.user_id,
        task_id,
        changes,
        now=request.origin.at,
        precondition=lambda task: satisfies_if_match(request, task_etag(task)),
    )
    return show_task(request, task)


@blueprint.delete("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(responses={204: None}, if_match=True)
async def delete_task(request: Request, task_id: int) -> HTTPResponse:
    await tasks.delete_task(
        request.deps.db,
        request.user_id,
        task_id,
        precondition=lambda task: satisfies_if_match(request, task_etag(task)),
    )
    return no_content()
