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
from transport.operations import Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import created, if_match, make_etag, no_content, not_modified, ok, page, tagged

blueprint = Blueprint("tasks")

# Made once: making a schema costs more than dumping a row.
create_request = CreateTaskRequest()
replace_request = ReplaceTaskRequest()
update_request = UpdateTaskRequest()
list_request = ListTasksRequest()
task_response = TaskResponse()


def task_etag(task: TaskRow) -> str:
    return make_etag(f"{task.id} {task.updated_at.isoformat()}")


def shown(request: Request, task: TaskRow) -> HTTPResponse:
    etag = task_etag(task)
    return not_modified(request, etag) or tagged(request, ok(task_response.dump(task)), etag)


@blueprint.post("/tasks", ctx_scope="tasks:write")
@operation(body=CreateTaskRequest, answers={201: TaskResponse}, etag=True)
async def create_task(request: Request) -> HTTPResponse:
    new = body(request, create_request)
    task = await tasks.create_task(request.deps.db, request.user_id, now=request.origin.at, **new)
    return tagged(request, created(f"/tasks/{task.id}", task_response.dump(task)), task_etag(task))


@blueprint.get("/tasks", ctx_scope="tasks:read")
@operation(query=ListTasksRequest, answers={200: Page(TaskResponse)}, etag=True)
async def list_tasks(request: Request) -> HTTPResponse:
    asked = query(request, list_request)
    rows = await tasks.list_tasks(request.deps.replica, request.user_id, **asked)
    listed = page(
        request,
        task_response,
        rows,
        limit=asked["limit"],
        key=lambda row: (asked["sort"], tasks.sort_value(row, asked["sort"]), row.id),
    )
    return tagged(request, listed)


@blueprint.get("/tasks/<task_id:id>", ctx_scope="tasks:read")
@operation(answers={200: TaskResponse}, etag=True)
async def get_task(request: Request, task_id: int) -> HTTPResponse:
    return shown(request, await tasks.get_task(request.deps.db, request.user_id, task_id))


@blueprint.put("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(body=ReplaceTaskRequest, answers={200: TaskResponse}, etag=True, if_match=True)
async def replace_task(request: Request, task_id: int) -> HTTPResponse:
    return await change(request, task_id, body(request, replace_request))


@blueprint.patch("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(body=UpdateTaskRequest, answers={200: TaskResponse}, etag=True, if_match=True)
async def update_task(request: Request, task_id: int) -> HTTPResponse:
    return await change(request, task_id, body(request, update_request))


async def change(request: Request, task_id: int, changes: dict[str, object]) -> HTTPResponse:
    task = await tasks.update_task(
        request.deps.db,
        request.user_id,
        task_id,
        changes,
        now=request.origin.at,
        expected=lambda task: if_match(request, task_etag(task)),
    )
    return shown(request, task)


@blueprint.delete("/tasks/<task_id:id>", ctx_scope="tasks:write")
@operation(answers={204: None}, if_match=True)
async def delete_task(request: Request, task_id: int) -> HTTPResponse:
    await tasks.delete_task(
        request.deps.db,
        request.user_id,
        task_id,
        expected=lambda task: if_match(request, task_etag(task)),
    )
    return no_content()
