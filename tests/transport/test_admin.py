import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from sqlalchemy import func, insert, select

from db.database import Database
from db.models import Account, LiveVisit
from service.deps import Deps
from tests.conftest import add_account, add_session
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
    kept = (await other_user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    assert (await client.signed_in(key).get("/profile")).status == 200
    for active in (False, True):
        assert (await admin.client.patch(f"/admin/users/{user.id}", json={"active": active})).status == 200
        for token in (key, pair["access_token"], user.token):
            assert (await client.signed_in(token).get("/profile")).code == "bad_token"
        refresh = {"refresh_token": pair["refresh_token"]}
        assert (await client.post("/token/refresh", json=refresh)).code == "bad_token"
    assert (await client.signed_in(kept).get("/profile")).status == 200


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
    assert (await admin.client.get(f"/admin/users/{10**15}/activity")).code == "not_found"


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


async def events(admin: User, query: str = "") -> list[tuple[str, str]]:
    items = (await admin.client.get(f"/admin/auth-events?{query}")).json["items"]
    return [(item["type"], item["login"]) for item in items]


async def test_the_audit_tells_all_that_happened(client: Client, user: User, admin: User) -> None:
    agent = {"User-Agent": "phone/1.0"}
    new = {"login": "Clara", "password": PASSWORD, "first_name": "C", "last_name": "Z"}
    clara_id = (await client.post("/user", json=new)).json["id"]
    await client.post("/login", json={"login": "CLARA", "password": "wrong"})
    token = (await client.post("/login", json=new | {"login": "clara"}, headers=agent)).status
    assert token == 422
    answer = await client.post("/login", json={"login": "clara", "password": PASSWORD}, headers=agent)
    clara = client.signed_in(answer.json["access_token"])
    await clara.patch("/profile", json={"password": "another good one", "current_password": PASSWORD})
    key = (await clara.post("/keys", json={"name": "k", "scopes": ["tasks:read"]})).json["id"]
    await clara.delete(f"/keys/{key}")
    for rights in ({"role": "admin"}, {"role": "admin"}, {"active": True}):
        await admin.client.patch(f"/admin/users/{clara_id}", json=rights)
    await clara.post("/logout")
    for rights in ({"active": False}, {"active": True}):
        await admin.client.patch(f"/admin/users/{clara_id}", json=rights)
    answer = await client.post("/login", json={"login": "clara", "password": "another good one"})
    await client.signed_in(answer.json["access_token"]).delete("/profile")
    await user.client.post("/logout")
    assert await events(admin, "login=cLARA") == [
        ("deleted", "Clara"),
        ("login", "Clara"),
        ("activated", "Clara"),
        ("deactivated", "Clara"),
        ("logout", "Clara"),
        ("role_changed", "Clara"),
        ("key_ended", "Clara"),
        ("key_created", "Clara"),
        ("password_changed", "Clara"),
        ("login", "Clara"),
        ("login_failed", "CLARA"),
        ("register", "Clara"),
    ]
    items = (await admin.client.get("/admin/auth-events?login=clara&type=login")).json["items"]
    assert (items[1]["agent"], items[1]["address"], items[1]["user_id"]) == (
        "phone/1.0",
        "127.0.0.1",
        clara_id,
    )
    assert items[1]["time"].endswith("Z")
    assert (await events(admin))[0] == ("logout", "Anna")


async def test_the_audit_is_filtered_by_time(user: User, admin: User) -> None:
    await user.client.post("/logout")
    [event] = (await admin.client.get("/admin/auth-events?type=logout")).json["items"]
    moment = quote(event["time"])
    assert await events(admin, f"type=logout&from={moment}") == [("logout", "Anna")]
    assert await events(admin, f"type=logout&to={moment}") == []
    reverse = await admin.client.get("/admin/auth-events?from=2020-01-02T00:00:00Z&to=2020-01-01T00:00:00Z")
    assert reverse.pointers == ["/to"]


async def test_a_failed_login_of_nobody_is_in_the_audit(client: Client, admin: User) -> None:
    await client.post("/login", json={"login": "Nobody", "password": "x"})
    [event] = (await admin.client.get("/admin/auth-events?type=login_failed")).json["items"]
    assert (event["login"], event["user_id"]) == ("Nobody", None)


async def test_pages_of_the_audit_join(client: Client, admin: User) -> None:
    for number in range(4):
        await client.post("/login", json={"login": f"nobody{number}", "password": "x"})
    first = (await admin.client.get("/admin/auth-events?limit=3")).json
    second = (await admin.client.get(f"/admin/auth-events?limit=3&cursor={first['next']}")).json
    logins = [item["login"] for item in first["items"] + second["items"]]
    assert logins == [f"nobody{number}" for number in (3, 2, 1, 0)]


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


async def test_the_audit_tells_who_did_it(client: Client, user: User, other_user: User, admin: User) -> None:
    await client.post("/login", json={"login": "anna", "password": PASSWORD})
    await client.post("/login", json={"login": "anna", "password": "wrong"})
    await admin.client.patch(f"/admin/users/{user.id}", json={"active": False})
    await admin.client.post(f"/admin/users/{user.id}/password-reset")
    await other_user.client.post("/logout")
    items = (await admin.client.get("/admin/auth-events?login=anna")).json["items"]
    assert [(item["type"], item["actor"]) for item in items] == [
        ("password_reset_created", "Root"),
        ("deactivated", "Root"),
        ("login_failed", None),
        ("login", "Anna"),
    ]
    assert await events(admin, "actor=rOOT") == [("password_reset_created", "Anna"), ("deactivated", "Anna")]
    assert await events(admin, "actor=boris") == [("logout", "Boris")]
    assert await events(admin, "actor=nobody") == []


async def test_the_audit_names_the_admin_who_adds_a_user(admin: User, server: RunningApp, deps: Deps) -> None:
    server.use(replace(deps, registration_open=False))
    assert (await admin.client.post("/register", json={"login": "clara", "password": PASSWORD})).status == 201
    [item] = (await admin.client.get("/admin/auth-events?login=clara")).json["items"]
    assert (item["type"], item["actor"]) == ("register", "Root")
