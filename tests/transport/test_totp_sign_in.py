"""Signing in with a second factor, by every route: codes of the app and recovery codes."""

from dataclasses import replace
from typing import Any

import pytest

from service.cache import Cache
from service.deps import Deps
from tests.support.authenticator import PASSWORD, audit_types, enable, forget_last_step, sign_in
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp

SIGN_IN_ROUTES = ["/user/auth", "/login", "/auth/login", "/token"]


@pytest.mark.parametrize("path", SIGN_IN_ROUTES)
async def test_every_sign_in_needs_the_code_after_the_right_password(
    client: Client, user: User, other_user: User, path: str
) -> None:
    app = await enable(user)
    account = {"login": "anna", "password": PASSWORD}
    needed = await client.post(path, json=account)
    assert (needed.status, needed.code, needed.json["error"]) == (401, "totp_needed", "invalid_grant")
    wrong = await client.post(path, json={**account, "password": "wrong", "totp": app.code(ahead=1)})
    unknown = await client.post(path, json={"login": "nobody", "password": PASSWORD, "totp": "123456"})
    wrong_code = await client.post(path, json={**account, "totp": app.wrong_code()})
    same = {"request_id": ""}
    assert {**wrong.json, **same} == {**unknown.json, **same} == {**wrong_code.json, **same}
    assert (wrong.status, wrong.code) == (401, "bad_credentials")
    right = await client.post(path, json={**account, "totp": app.code(ahead=1)})
    assert right.status == 200
    assert (await client.signed_in(right.json["access_token"]).get("/auth/me")).json["id"] == user.id
    without = {"login": "boris", "password": PASSWORD}
    assert (await client.post(path, json=without)).status == 200
    assert (await client.post(path, json={**without, "totp": "123456"})).status == 200


@pytest.mark.parametrize("path", SIGN_IN_ROUTES)
async def test_a_form_has_the_code_too(client: Client, user: User, path: str) -> None:
    app = await enable(user)
    form = {"grant_type": "password", "username": "anna", "password": PASSWORD}
    needed = await client.post(path, data={**form, "totp": ""})
    assert (needed.code, needed.json["error"]) == ("totp_needed", "invalid_grant")
    assert (await client.post(path, data={**form, "recovery_code": app.recovery_codes[0]})).status == 200
    right = await client.post(path, data={**form, "totp": app.code(ahead=1)})
    assert right.status == 200
    refresh = {"grant_type": "refresh_token", "refresh_token": right.json["refresh_token"]}
    assert (await client.post(path, data=refresh)).status == 200


async def test_a_code_works_once_and_none_before_it(client: Client, user: User, deps: Deps) -> None:
    app = await enable(user)
    confirmed = app.code()
    assert (await sign_in(client, totp=confirmed)).code == "bad_credentials"
    assert (await sign_in(client, totp=app.code(ahead=1))).status == 200
    assert (await sign_in(client, totp=app.code(ahead=1))).code == "bad_credentials"
    assert (await sign_in(client, totp=app.code())).code == "bad_credentials"
    await forget_last_step(deps, user)
    assert (await sign_in(client, totp=app.code())).status == 200


@pytest.mark.parametrize("ahead", [-3, 30])
async def test_a_code_of_another_time_is_refused(client: Client, user: User, deps: Deps, ahead: int) -> None:
    app = await enable(user)
    await forget_last_step(deps, user)
    assert (await sign_in(client, totp=app.code(ahead=ahead))).code == "bad_credentials"


async def test_codes_are_typed_with_blanks_and_hyphens(client: Client, user: User, deps: Deps) -> None:
    app = await enable(user)
    code = app.code(ahead=1)
    assert (await sign_in(client, totp=f" {code[:3]} {code[3:]}")).status == 200
    await forget_last_step(deps, user)
    wide = code.translate({ord(digit): ord(digit) + 0xFEE0 for digit in "0123456789"})
    assert (await sign_in(client, totp=wide)).status == 200
    codes = app.recovery_codes
    assert (await sign_in(client, totp=codes[0])).status == 200
    assert (await sign_in(client, recovery_code=codes[1].upper().replace("-", " "))).status == 200
    assert (await sign_in(client, recovery_code=codes[2].replace("-", ""))).status == 200


async def test_each_recovery_code_works_once_for_its_account(
    client: Client, user: User, other_user: User, deps: Deps
) -> None:
    app, other = await enable(user), await enable(other_user)
    assert (await sign_in(client, recovery_code=other.recovery_codes[0])).code == "bad_credentials"
    for code in app.recovery_codes:
        assert (await sign_in(client, recovery_code=code)).status == 200
    for code in app.recovery_codes[:2]:
        assert (await sign_in(client, recovery_code=code)).code == "bad_credentials"
    assert (await user.client.get("/profile/totp")).json == {"enabled": True, "recovery_codes_left": 0}
    state = (await other_user.client.get("/profile/totp")).json
    assert state == {"enabled": True, "recovery_codes_left": 10}
    assert (await audit_types(deps)).count("totp_recovery_used") == 10


@pytest.mark.parametrize("code", ["", "0" * 201, 123456, "\0"])
async def test_what_can_be_no_code_is_told_by_its_field(client: Client, user: User, code: Any) -> None:
    await enable(user)
    for name in ("totp", "recovery_code"):
        answer = await client.post("/login", json={"login": "anna", "password": PASSWORD, name: code})
        assert answer.pointers == [f"/{name}"]


async def test_a_sign_in_takes_one_of_the_two_codes(client: Client, user: User) -> None:
    app = await enable(user)
    answer = await sign_in(client, totp=app.code(ahead=1), recovery_code=app.recovery_codes[0])
    assert answer.pointers == ["/recovery_code"]


@pytest.mark.parametrize("code", ["éééééé", "\uff11\uff12", "²³¹²³¹", "      ", "-", "🐟" * 6, "0" * 200])
async def test_an_odd_totp_code_is_refused_like_a_wrong_one(client: Client, user: User, code: str) -> None:
    await enable(user)
    assert (await sign_in(client, totp=code)).code == "bad_credentials"


async def test_wrong_codes_are_throttled_as_wrong_passwords_are(
    client: Client, user: User, deps: Deps
) -> None:
    app = await enable(user)
    for _ in range(6):  # no failures: that a code is needed is not known before
        assert (await sign_in(client)).code == "totp_needed"
    for _ in range(3):
        assert (await sign_in(client, totp=app.wrong_code())).status == 401
    assert (await sign_in(client, recovery_code="abcd-efgh-ijkl-mnop")).status == 401
    assert (await client.post("/login", json={"login": "anna", "password": "wrong"})).status == 401
    assert (await sign_in(client, totp=app.code(ahead=1))).status == 429
    assert (await audit_types(deps)).count("login_failed") == 5


async def test_a_wrong_code_makes_no_session_and_uses_nothing_up(client: Client, user: User) -> None:
    app = await enable(user)
    await sign_in(client)
    await sign_in(client, totp=app.wrong_code())
    code = app.code(ahead=1)
    assert (await client.post("/login", json={"login": "anna", "password": "no", "totp": code})).status == 401
    assert len((await user.client.get("/sessions")).json["items"]) == 1
    assert (await sign_in(client, totp=code)).status == 200


async def test_signing_in_with_a_code_works_without_valkey(
    client: Client, user: User, server: RunningApp, deps: Deps
) -> None:
    app = await enable(user)
    server.use(replace(deps, cache=Cache.connect("redis://127.0.0.1:1")))
    assert (await sign_in(client)).code == "totp_needed"
    assert (await sign_in(client, totp=app.code(ahead=1))).status == 200
    assert (await sign_in(client, totp=app.code(ahead=1))).code == "bad_credentials"
