"""/tasks over HTTP: fields, ownership, versions and refusals."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from db.database import Database
from db.models import Account
from service import tasks as use_cases
from service.deps import Deps
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp

DEFAULTS = {"description": "", "status": "todo", "priority": "normal", "due_at": None}
FULL = {
    "title": "Buy salmon",
    "description": "two pieces",
    "status": "in_progress",
    "priority": "high",
    "due_at": "2026-12-01T08:00:00.123456Z",
}


async def make(user: User, **fields: Any) -> dict[str, Any]:
    answer = await user.client.post("/tasks", json={"title": "A task", **fields})
    assert answer.status == 201, answer.body
    task: dict[str, Any] = answer.json
    return task


@pytest.fixture
async def task(user: User, other_user: User) -> dict[str, Any]:
    """A task of `user`, among others'."""
    await make(other_user, **FULL)
    own = await make(user, **FULL)
    await make(user, title="another")
    return own


async def test_a_task_needs_no_more_than_a_title(user: User) -> None:
    answer = await user.client.post("/tasks", json={"title": "Buy salmon"})
    task = answer.json
    assert answer.status == 201
    assert answer.headers["Location"] == f"/tasks/{task['id']}"
    assert task == {**task, **DEFAULTS, "title": "Buy salmon"}
    assert task.keys() == {"id", "title", *DEFAULTS, "created_at", "updated_at"}
    assert task["created_at"] == task["updated_at"]
    assert datetime.fromisoformat(task["created_at"]) > datetime.now(UTC) - timedelta(minutes=1)
    copy = await user.client.get(answer.headers["Location"])
    assert (copy.status, copy.json) == (200, task)
    assert copy.headers["ETag"] == answer.headers["ETag"]
    other = await user.client.post("/api/v1/tasks", json={"title": "x"})
    assert other.headers["Location"] == f"/api/v1/tasks/{other.json['id']}"


async def test_put_sets_what_is_not_named_back_to_its_default(user: User, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    answer = await user.client.put(path, json={"title": "New"})
    assert answer.status == 200
    unchanged = {"id": task["id"], "created_at": task["created_at"]}
    assert answer.json == {**unchanged, **DEFAULTS, "title": "New", "updated_at": answer.json["updated_at"]}
    assert answer.json["updated_at"] > task["updated_at"]
    assert (await user.client.get(path)).json == answer.json
    assert (await user.client.put(path, json={"status": "done"})).pointers == ["/title"]


async def test_patch_changes_what_it_names_and_no_more(user: User, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    done = await user.client.patch(path, json={"status": "done"})
    assert done.status == 200
    assert done.json == {**task, "status": "done", "updated_at": done.json["updated_at"]}
    assert done.json["updated_at"] > task["updated_at"]
    cleared = (await user.client.patch(path, json={"due_at": None})).json
    assert cleared == {**done.json, "due_at": None, "updated_at": cleared["updated_at"]}
    for nothing in ({}, {"status": "done", "title": FULL["title"]}):
        same = await user.client.patch(path, json=nothing)
        assert (same.status, same.json) == (200, cleared)


async def test_delete_ends_one_task(user: User, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    assert (await user.client.delete(path)).status == 204
    assert (await user.client.get(path)).code == "not_found"
    assert (await user.client.delete(path)).code == "not_found"
    assert [item["title"] for item in (await user.client.get("/tasks")).json["items"]] == ["another"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_anothers_task_is_as_missing_as_none(
    user: User, other_user: User, task: dict[str, Any], method: str
) -> None:
    def body(answer: Any, task_id: int) -> dict[str, Any]:
        problem = dict(answer.json)
        del problem["request_id"]
        return {**problem, "detail": problem["detail"].replace(str(task_id), "N")}

    json = {"title": "mine now"} if method in ("PUT", "PATCH") else None
    bodies = []
    for task_id in (task["id"], 10**15):
        headers = {"If-Match": '"x"'}
        answer = await other_user.client.request(method, f"/tasks/{task_id}", json=json, headers=headers)
        assert answer.status == 404
        bodies.append(body(answer, task_id))
    assert bodies[0] == bodies[1]
    assert (await user.client.get(f"/tasks/{task['id']}")).json == task


async def test_a_task_that_has_not_changed_is_not_sent_again(user: User, task: dict[str, Any]) -> None:
    for path in (f"/tasks/{task['id']}", "/tasks?limit=1"):
        etag = (await user.client.get(path)).headers["ETag"]
        same = await user.client.get(path, headers={"If-None-Match": f"W/{etag}"})
        assert (same.status, same.body, same.headers["ETag"]) == (304, b"", etag)
        head = await user.client.request("HEAD", path)
        assert (head.status, head.body, head.headers["ETag"]) == (200, b"", etag)
    await user.client.patch("/tasks/" + str(task["id"]), json={"status": "done"})
    changed = await user.client.get(f"/tasks/{task['id']}", headers={"If-None-Match": etag})
    assert (changed.status, changed.json["status"]) == (200, "done")


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
async def test_if_match_refuses_what_has_changed_meanwhile(
    user: User, task: dict[str, Any], method: str
) -> None:
    path, json = f"/tasks/{task['id']}", {"title": "second"} if method != "DELETE" else None
    old = (await user.client.get(path)).headers["ETag"]
    new = (await user.client.patch(path, json={"title": "first"}, headers={"If-Match": old})).headers["ETag"]
    assert new != old
    for stale in (old, f'{old}, "x"', f"W/{old}", ""):
        answer = await user.client.request(method, path, json=json, headers={"If-Match": stale})
        assert (answer.status, answer.code) == (412, "precondition_failed"), stale
    assert (await user.client.get(path)).json["title"] == "first"
    answer = await user.client.request(method, path, json=json, headers={"If-Match": f'"x", {new}'})
    assert answer.status == (204 if method == "DELETE" else 200)


async def test_if_match_of_any_version_takes_every_one(user: User, task: dict[str, Any]) -> None:
    path = f"/tasks/{task['id']}"
    answer = await user.client.patch(path, json={"title": "x"}, headers={"If-Match": "*"})
    assert (answer.status, answer.json["title"]) == (200, "x")


async def test_only_one_of_many_who_saw_the_same_version_changes_it(
    server: RunningApp, user: User, task: dict[str, Any]
) -> None:
    path = f"/tasks/{task['id']}"
    etag = (await user.client.get(path)).headers["ETag"]
    headers = {"If-Match": etag}
    answers = await asyncio.gather(
        *(user.client.patch(path, json={"title": f"by {n}"}, headers=headers) for n in range(8))
    )
    assert sorted(answer.status for answer in answers) == [200] + [412] * 7


async def test_a_key_needs_the_scope_of_what_it_does(client: Client, user: User) -> None:
    answer = await user.client.post("/keys", json={"name": "k", "scopes": ["tasks:read"]})
    program = client.signed_in(answer.json["key"])
    assert (await program.get("/tasks")).status == 200
    assert (await program.post("/tasks", json={"title": "x"})).code == "out_of_scope"


async def test_a_user_who_is_deleted_meanwhile_has_no_token_to_create_a_task_with(
    user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request was admitted before, as a token's copy in the cache lets it be."""
    create_task = use_cases.create_task

    async def create_after_deletion(db: Database, user_id: int, **fields: Any) -> Any:
        async with db.transaction() as session:
            await session.execute(delete(Account).where(Account.id == user_id))
        return await create_task(db, user_id, **fields)

    monkeypatch.setattr(use_cases, "create_task", create_after_deletion)
    answer = await user.client.post("/tasks", json={"title": "x"})
    assert (answer.status, answer.code) == (401, "bad_token")


async def test_tasks_end_with_their_account(user: User, other_user: User, admin: User, deps: Deps) -> None:
    other_task = await make(other_user)
    await make(user)
    await make(user)
    path = "/admin/users"
    counts = {item["login"]: item["tasks"] for item in (await admin.client.get(path)).json["items"]}
    assert (counts["Anna"], counts["Boris"], counts["Root"]) == (2, 1, 0)
    assert (await user.client.delete("/profile")).status == 204
    items = (await admin.client.get(path)).json["items"]
    assert sum(item["tasks"] for item in items) == 1
    assert (await other_user.client.get(f"/tasks/{other_task['id']}")).status == 200


async def test_activity_tells_of_the_tasks_a_user_made(user: User, other_user: User, admin: User) -> None:
    await make(other_user, title="not hers")
    for title in ("first", "second", "third"):
        await make(user, title=title)
    await user.client.post("/logout")
    path = f"/admin/users/{user.id}/activity"
    whole = (await admin.client.get(path)).json["items"]
    assert [(item["type"], item["detail"]) for item in whole] == [
        ("logout", "127.0.0.1"),
        ("task_created", "third"),
        ("task_created", "second"),
        ("task_created", "first"),
    ]
    first = (await admin.client.get(f"{path}?limit=2")).json
    second = (await admin.client.get(f"{path}?limit=2&cursor={first['next']}")).json
    assert first["items"] + second["items"] == whole


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": " \t\u3000\n"}, "/title"),
        ({"title": "x" * 201}, "/title"),
        ({"title": "a\0b"}, "/title"),
        ({"title": None}, "/title"),
        ({"title": 5}, "/title"),
        ({"description": "x" * 10_001}, "/description"),
        ({"status": "open"}, "/status"),
        ({"priority": 1}, "/priority"),
        ({"due_at": "tomorrow"}, "/due_at"),
        ({"due_at": "2026-02-30T00:00:00Z"}, "/due_at"),
        ({"due_at": 0}, "/due_at"),
        ({"due_at": "0001-01-01T00:00:00Z"}, "/due_at"),
        ({"due_at": "9999-12-31T23:59:59.999999Z"}, "/due_at"),
        ({"account_id": 1}, "/account_id"),
        ({"search_text": "x"}, "/search_text"),
    ],
)
async def test_a_task_refuses_what_it_can_not_be(
    user: User, task: dict[str, Any], fields: dict[str, Any], pointer: str
) -> None:
    path, whole = f"/tasks/{task['id']}", {"title": "x", **fields}
    for answer in (
        await user.client.post("/tasks", json=whole),
        await user.client.put(path, json=whole),
        await user.client.patch(path, json=fields),
    ):
        assert (answer.status, answer.pointers) == (422, [pointer])
    assert (await user.client.get(path)).json == task


@pytest.mark.parametrize("title", ["x" * 200, "\U0001f41f" * 200, "\ufdfa" * 200, "İ" * 200, '"\\\x01\n'])
async def test_the_longest_and_oddest_titles_are_kept_and_paged(user: User, title: str) -> None:
    tasks = [await make(user, title=title, description="d" * 10_000) for _ in range(2)]
    assert tasks[0]["title"] == title
    first = (await user.client.get("/tasks?sort=title&limit=1")).json
    second = (await user.client.get(f"/tasks?sort=title&limit=1&cursor={first['next']}")).json
    assert first["items"] + second["items"] == tasks


@pytest.mark.parametrize("due", ["0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999998Z"])
async def test_the_first_and_last_times_are_kept_and_paged(user: User, due: str) -> None:
    tasks = [await make(user, due_at=due) for _ in range(2)] + [await make(user)]
    assert tasks[0]["due_at"] == due
    cursor, items = "", []
    for _ in tasks:
        page = (await user.client.get(f"/tasks?sort=due_at&limit=1{cursor}")).json
        items += page["items"]
        cursor = f"&cursor={page['next']}"
    assert items == tasks
