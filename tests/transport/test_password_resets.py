"""From a forgotten password to a new one by an admin's token; the mails are in test_password_mails.py."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest

from service.deps import Deps, RateLimits
from tests.support.command_line import PASSWORD
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.password_resets import NEW, admins_token, age, reset, sign_in


async def test_an_admins_token_sets_a_password_and_ends_sessions_and_keys(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    answer = await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})
    key = client.signed_in(answer.json["key"])
    token = await admins_token(admin, user)
    for caller in (user.client, key):  # cached from now on
        assert (await caller.get("/profile")).status == 200
    assert (await reset(client, token)).status == 204
    assert [(await caller.get("/profile")).status for caller in (user.client, key)] == [401, 401]
    assert [(await caller.client.get("/profile")).status for caller in (other_user, admin)] == [200, 200]
    assert [await sign_in(client, "anna", password) for password in (PASSWORD, NEW)] == [401, 200]
    assert await sign_in(client, "boris", PASSWORD) == 200
    items = (await admin.client.get("/admin/auth-events?login=anna")).json["items"]
    types = [item["type"] for item in items]
    assert [types.count(kind) for kind in ("password_reset_created", "password_changed")] == [1, 1]


async def test_a_token_works_once_for_an_hour_and_only_for_this(
    client: Client, user: User, admin: User, deps: Deps
) -> None:
    used, other, old = [await admins_token(admin, user) for _ in range(3)]
    assert (await client.signed_in(used).get("/profile")).code == "bad_token"
    await age(deps.db, timedelta(minutes=59))
    assert (await reset(client, used)).status == 204
    again = await reset(client, used)
    wrong = await reset(client, "trawl_reset_" + "x" * 43)
    ended = await reset(client, other)  # by the new password
    old = await admins_token(admin, user)
    await age(deps.db, timedelta(hours=1, seconds=1))
    late = await reset(client, old)
    for refusal in (again, wrong, ended, late, await reset(client, user.token), await reset(client, "é")):
        assert (refusal.status, refusal.code, refusal.pointers) == (422, "bad_reset_token", ["/token"])
        assert {**refusal.json, "request_id": ""} == {**wrong.json, "request_id": ""}
    assert await sign_in(client, "anna", NEW) == 200


async def test_a_token_is_used_up_by_a_good_password_alone(client: Client, user: User, admin: User) -> None:
    token = await admins_token(admin, user)
    for password in ("short", "password1", "x" * 129):
        assert (await reset(client, token, password)).pointers == ["/password"]
    assert (await user.client.get("/profile")).status == 200
    assert (await reset(client, token)).status == 204


async def test_of_two_who_use_a_token_at_once_one_sets_the_password(
    client: Client, user: User, admin: User
) -> None:
    token = await admins_token(admin, user)
    passwords = [f"battery number {number}" for number in range(5)]
    answers = await asyncio.gather(*(reset(client, token, password) for password in passwords))
    assert sorted(answer.status for answer in answers) == [204, 422, 422, 422, 422]
    [winner] = [password for password, answer in zip(passwords, answers, strict=True) if answer.status == 204]
    assert await sign_in(client, "anna", winner) == 200


async def test_a_token_is_void_once_the_account_is_deactivated_or_deleted(
    client: Client, user: User, other_user: User, admin: User
) -> None:
    token, others = await admins_token(admin, user), await admins_token(admin, other_user)
    await admin.client.patch(f"/admin/users/{user.id}", json={"active": False})
    assert (await reset(client, token)).code == "bad_reset_token"
    deletion = await other_user.client.delete("/profile", json={"current_password": PASSWORD})
    assert deletion.status == 204
    assert (await reset(client, others)).code == "bad_reset_token"


async def test_a_token_of_nobody_is_not_found(admin: User) -> None:
    answer = await admin.client.post(f"/admin/users/{10**15}/password-reset")
    assert (answer.status, answer.code) == (404, "not_found")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("/password/forgot", {}, "/login"),
        ("/password/forgot", {"login": 1}, "/login"),
        ("/password/reset", {"token": "x"}, "/password"),
        ("/password/reset", {"token": None, "password": NEW}, "/token"),
        ("/password/reset", {"token": "", "password": NEW}, "/token"),
        ("/password/reset", {"token": "x", "password": NEW, "login": "anna"}, "/login"),
    ],
)
async def test_what_can_not_be_read_is_reported(
    client: Client, path: str, body: dict[str, object], pointer: str
) -> None:
    refusal = await client.post(path, data=json.dumps(body), headers={"Content-Type": "application/json"})
    assert (refusal.status, refusal.pointers) == (422, [pointer])


async def test_an_address_has_five_such_requests_a_minute(
    client: Client, server: RunningApp, deps: Deps
) -> None:
    server.use(replace(deps, limits=RateLimits(default=1000)))
    statuses = [(await reset(client, "x")).status for _ in range(3)]
    forgotten = [await client.post("/password/forgot", json={"login": "anna"}) for _ in range(3)]
    assert statuses + [answer.status for answer in forgotten] == [422] * 3 + [202] * 2 + [429]
    refusal = forgotten[-1]
    assert (refusal.code, refusal.headers["RateLimit-Policy"]) == (
        "rate_limited",
        '"password-minute";q=5;w=60',
    )
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(server.url, connector=connector) as session:
        assert (await reset(Client(session), "x")).status == 422
