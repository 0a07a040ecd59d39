import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, insert, select

from db.database import Database
from db.models import Account, LiveVisit
from service.deps import Deps
from tests.support.accounts import add_account, add_session
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.parts import line, store_part

PASSWORD = "correct horse battery"


async def add_line(deps: Deps, user_id: int) -> None:
    """A line of a log, which names a user of the shop, not an account."""
    pay = line(f"/pay?user_id={user_id}&cart_id=1", at=datetime.now(UTC).replace(microsecond=0))
    await store_part(deps.db, [pay])


async def add_visit(deps: Deps, user_id: int, *, source: str = "api", page_url: str = "/page") -> None:
    values = {
        "occurred_at": datetime.now(UTC),
        "request_id": str(uuid.uuid4()),
        "position": 0,
        "source": source,
        "kind": "other",
        "page_url": page_url,
        "user_id": user_id,
    }
    async with deps.db.transaction() as session:
        await session.execute(insert(LiveVisit).values(**values))


async def test_an_admin_sees_what_each_user_has_and_has_done(
    client: Client, user: User, other_user: User, admin: User, deps: Deps
) -> None:
    await client.post("/login", json={"login": "anna", "password": PASSWORD})
    await add_visit(deps, user.id)
    await add_visit(deps, user.id, source="page")
    await add_line(deps, user.id)
    await add_visit(deps, other_user.id)
    items = {item["login"]: item for item in (await admin.client.get("/admin/users")).json["items"]}
    assert {"Anna", "Boris", "Root", "noise-1", "noise-2"} <= items.keys()
    anna, boris = items["Anna"], items["Boris"]
    assert (anna["id"], anna["role"], anna["active"]) == (user.id, "user", True)
    assert (anna["live_sessions"], anna["visits"]) == (2, 2)
    assert (boris["live_sessions"], boris["visits"], boris["last_login"]) == (1, 1, None)
    assert datetime.fromisoformat(anna["last_login"]) > datetime.now(UTC) - timedelta(minutes=1)
    assert {"email", "events", "tasks", "favourites"} <= anna.keys()
    assert not any("password" in name for name in anna)


@pytest.mark.parametrize(
    ("query", "logins"),
    [
        ("q=ANN", {"Anna"}),
        ("q=shop.example", {"Boris"}),
        ("q=orisz%20Va", {"Boris"}),
        ("q=%25", set()),
        ("q=_", set()),
        ("role=admin", {"Root"}),
        ("role=admin&q=ann", set()),
    ],
)
async def test_users_are_found(
    user: User, other_user: User, admin: User, query: str, logins: set[str]
) -> None:
    changes = {"email": "b@shop.example", "name": "Borisz Vallejo"}
    await other_user.client.patch("/profile", json=changes)
    items = (await admin.client.get(f"/admin/users?{query}")).json["items"]
    assert {item["login"] for item in items} == logins


async def test_pages_of_users_join(user: User, other_user: User, admin: User) -> None:
    whole = (await admin.client.get("/admin/users")).json["items"]
    first = (await admin.client.get("/admin/users?limit=3")).json
    second = (await admin.client.get(f"/admin/users?limit=3&cursor={first['next']}")).json
    assert [item["id"] for item in first["items"] + second["items"]] == [item["id"] for item in whole]


async def test_a_new_role_holds_at_once(user: User, admin: User) -> None:
    assert (await user.client.get("/admin/users")).code == "admins_only"
    answer = await admin.client.patch(f"/admin/users/{user.id}", json={"role": "admin"})
    assert (answer.status, answer.json["role"]) == (200, "admin")
    assert (await user.client.get("/admin/users")).status == 200
    assert (await user.client.patch(f"/admin/users/{admin.id}", json={"role": "user"})).status == 200
    assert (await admin.client.get("/admin/users")).code == "admins_only"
    assert (await admin.client.get("/profile")).json["role"] == "user"


async def test_closing_an_account_ends_its_tokens_at_once(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    assert (await user.client.get("/profile")).status == 200
    answer = await admin.client.patch(f"/admin/users/{user.id}", json={"active": False})
    assert (answer.json["active"], answer.json["live_sessions"]) == (False, 0)
    assert (await user.client.get("/profile")).code == "bad_token"
    signed_in = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    assert signed_in.code == "bad_credentials"
    await admin.client.patch(f"/admin/users/{user.id}", json={"active": True})
    assert (await user.client.get("/profile")).code == "bad_token"
    assert (await client.post("/login", json={"login": "anna", "password": PASSWORD})).status == 200
    assert (await other_user.client.get("/profile")).status == 200


async def test_a_closed_account_has_lost_its_keys_and_tokens_for_good(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    pair = (await client.post("/login", json={"login": "anna", "password": PASSWORD})).json
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    other_key = (await other_user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json[
        "key"
    ]
    assert (await client.signed_in(key).get("/profile")).status == 200
    for active in (False, True):
        assert (await admin.client.patch(f"/admin/users/{user.id}", json={"active": active})).status == 200
        for token in (key, pair["access_token"], user.token):
            assert (await client.signed_in(token).get("/profile")).code == "bad_token"
        refresh = {"refresh_token": pair["refresh_token"]}
        assert (await client.post("/token/refresh", json=refresh)).code == "bad_token"
    assert (await client.signed_in(other_key).get("/profile")).status == 200


async def test_the_last_active_admin_stays(client: Client, user: User, admin: User) -> None:
    path = f"/admin/users/{admin.id}"
    refused = [
        *[await admin.client.patch(path, json=rights) for rights in ({"role": "user"}, {"active": False})],
        await admin.client.delete("/profile"),
        await admin.client.delete(f"/user/{admin.id}"),
    ]
    assert [(answer.status, answer.code) for answer in refused] == [(409, "last_admin")] * 4
    assert (await admin.client.get("/profile")).json["role"] == "admin"
    for rights in ({"role": "admin"}, {"active": True}, {}):
        assert (await admin.client.patch(path, json=rights)).status == 200
    await admin.client.patch(f"/admin/users/{user.id}", json={"role": "admin", "active": False})
    assert (await admin.client.delete("/profile")).code == "last_admin"
    await admin.client.patch(f"/admin/users/{user.id}", json={"active": True})
    assert (await admin.client.delete("/profile")).status == 204
    answer = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    anna = client.signed_in(answer.json["access_token"])
    assert (await anna.delete("/profile")).code == "last_admin"


async def test_admins_who_demote_each_other_at_once_leave_one(
    committed_db: Database, server: RunningApp, deps: Deps, client: Client
) -> None:
    committed = replace(deps, db=committed_db, replica=committed_db)
    server.use(committed)
    admins = []
    for number in range(4):
        account_id = await add_account(committed, f"root{number}", role="admin")
        _, token = await add_session(committed, account_id)
        admins.append((account_id, client.signed_in(token)))
    ring = zip(admins, admins[1:] + admins[:1], strict=True)
    answers = await asyncio.gather(
        *(one.patch(f"/admin/users/{other_id}", json={"role": "user"}) for (_, one), (other_id, _) in ring),
        *(one.delete("/profile") for _, one in admins),
    )
    assert {answer.status for answer in answers} <= {200, 204, 403, 401, 404, 409}
    async with committed_db.read() as session:
        count = select(func.count()).where(Account.role == "admin", Account.active)
        assert (await session.scalar(count) or 0) >= 1


async def test_rights_of_nobody_are_not_found(admin: User) -> None:
    answer = await admin.client.patch(f"/admin/users/{10**15}", json={"role": "admin"})
    assert answer.code == "not_found"
    for path in (f"/admin/users/{10**15}", f"/admin/users/{10**15}/activity"):
        assert (await admin.client.get(path)).code == "not_found"


async def test_one_user_is_shown_as_in_the_list(user: User, other_user: User, admin: User) -> None:
    assert (await user.client.post("/tasks", json={"title": "Order salmon"})).status == 201
    listed = {item["id"]: item for item in (await admin.client.get("/admin/users")).json["items"]}
    for user_id in (user.id, other_user.id):
        assert (await admin.client.get(f"/admin/users/{user_id}")).json == listed[user_id]
    assert listed[user.id]["tasks"] == listed[other_user.id]["tasks"] + 1


@pytest.mark.parametrize(
    ("rights", "pointer"),
    [({"role": "god"}, "/role"), ({"active": 1}, "/active"), ({"login": "x"}, "/login")],
)
async def test_rights_are_said_clearly(
    user: User, admin: User, rights: dict[str, object], pointer: str
) -> None:
    answer = await admin.client.patch(f"/admin/users/{user.id}", json=rights)
    assert answer.pointers == [pointer]


async def test_activity_tells_what_a_user_did_newest_first(
    client: Client, user: User, other_user: User, admin: User, deps: Deps
) -> None:
    await client.post("/login", json={"login": "anna", "password": PASSWORD})
    await client.post("/login", json={"login": "boris", "password": PASSWORD})
    await add_visit(deps, user.id, page_url="/salmon")
    await add_line(deps, user.id)
    await add_visit(deps, other_user.id)
    await user.client.post("/logout")
    path = f"/admin/users/{user.id}/activity"
    whole = (await admin.client.get(path)).json["items"]
    assert [(item["type"], item["detail"]) for item in whole] == [
        ("logout", "127.0.0.1"),
        ("visit", "/salmon"),
        ("login", "127.0.0.1"),
    ]
    first = (await admin.client.get(f"{path}?limit=2")).json
    second = (await admin.client.get(f"{path}?limit=2&cursor={first['next']}")).json
    assert first["items"] + second["items"] == whole
    assert (await admin.client.get(f"{path}?offset=1")).json["items"] == whole[1:]


async def test_events_of_a_user_count_and_stand_in_its_activity(user: User, admin: User) -> None:
    for user_id in (user.id, admin.id):
        event = {
            "event_id": str(uuid.uuid4()),
            "user_id": user_id,
            "event_type": f"of-{user_id}",
            "occurred_at": "2024-05-06T07:08:09Z",
        }
        await user.client.post("/events", json={"events": [event]})
    items = {item["login"]: item for item in (await admin.client.get("/admin/users")).json["items"]}
    assert [items[login]["events"] for login in ("Anna", "Root", "noise-1")] == [1, 1, 0]
    activity = (await admin.client.get(f"/admin/users/{user.id}/activity")).json["items"]
    assert activity == [{"at": "2024-05-06T07:08:09Z", "type": "event", "detail": f"of-{user.id}"}]
