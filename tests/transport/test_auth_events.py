"""The audit: what it records of an account, who did it, and how it is read."""

from dataclasses import replace
from urllib.parse import quote

from service.deps import Deps
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp


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
