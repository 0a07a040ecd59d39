"""The second factor by HTTP: turning it on and off, and what it leaves as it is."""

import logging
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from db.models import RecoveryCode, Totp
from service.accounts.reauthentication import FRESH_FOR
from service.deps import Deps
from service.security.tokens import TokenSettings
from service.security.totp import draw_qr_code
from tests.support.authenticator import (
    PASSWORD,
    Authenticator,
    audit_types,
    begin,
    enable,
    forget_last_step,
    sign_in,
)
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import SECRET, RunningApp
from tests.transport.test_reauthentication import age

NEW_SECRET = "another secret, that is long enough too"


def assert_qr_code_of(rows: list[str], uri: str) -> None:
    """Check size, finders and timing line of a QR code, and that the same text makes it, another one not."""
    assert {len(row) for row in rows} == {len(rows)}
    assert (len(rows) - 17) % 4 == 0
    finder = ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]
    assert [row[:7] for row in rows[:7]] == [row[-7:] for row in rows[:7]] == finder
    assert rows[6][7:-7] == ("01" * len(rows))[: len(rows) - 14]
    assert draw_qr_code(uri) == rows != draw_qr_code(uri.lower())


async def test_a_second_factor_counts_once_a_code_has_confirmed_it(client: Client, user: User) -> None:
    answer = await user.client.post("/profile/totp", json={})
    assert answer.headers["Cache-Control"] == "no-store"
    app = Authenticator(answer.json["secret"])
    uri = urlsplit(answer.json["uri"])
    assert (uri.scheme, uri.netloc, uri.path) == ("otpauth", "totp", "/Trawl:Anna")
    assert parse_qs(uri.query) | {"secret": [app.secret], "issuer": ["Trawl"]} == parse_qs(uri.query)
    assert len(app.secret) == 32
    assert_qr_code_of(answer.json["qr"], answer.json["uri"])
    assert (await user.client.get("/profile/totp")).json == {"enabled": False, "recovery_codes_left": 0}
    assert (await sign_in(client)).status == 200
    wrong = await user.client.post("/profile/totp/confirm", json={"code": app.wrong_code()})
    assert (wrong.status, wrong.code, wrong.pointers) == (422, "bad_totp_code", ["/code"])
    assert (await sign_in(client)).status == 200
    right = await user.client.post("/profile/totp/confirm", json={"totp": app.code()})
    assert right.headers["Cache-Control"] == "no-store"
    assert len(set(right.json["recovery_codes"])) == 10
    assert (await user.client.get("/profile/totp")).json == {"enabled": True, "recovery_codes_left": 10}
    assert (await sign_in(client)).code == "totp_needed"


async def test_a_secret_that_was_not_confirmed_is_replaced_by_the_next(client: Client, user: User) -> None:
    first, second = await begin(user), await begin(user)
    assert first.secret != second.secret
    wrong = await user.client.post("/profile/totp/confirm", json={"code": first.code()})
    assert wrong.code == "bad_totp_code"
    assert (await user.client.post("/profile/totp/confirm", json={"code": second.code()})).status == 200
    for path, body in (("/profile/totp", {}), ("/profile/totp/confirm", {"code": second.code(ahead=1)})):
        again = await user.client.post(path, json=body)
        assert (again.status, again.code) == (409, "totp_enabled")
    assert (await sign_in(client, totp=second.code(ahead=1))).status == 200


async def test_turning_it_off_takes_the_codes_with_it(client: Client, user: User, deps: Deps) -> None:
    app = await enable(user)
    assert (await user.client.delete("/profile/totp")).status == 204
    assert (await sign_in(client)).status == 200
    assert (await user.client.delete("/profile/totp")).code == "not_found"
    assert (await user.client.post("/profile/totp/confirm", json={"code": "123456"})).code == "not_found"
    again = await enable(user)
    assert (await sign_in(client, recovery_code=app.recovery_codes[0])).code == "bad_credentials"
    assert (await sign_in(client, totp=again.code(ahead=1))).status == 200
    events = [kind for kind in await audit_types(deps) if kind.startswith("totp")]
    assert events == ["totp_enabled", "totp_disabled", "totp_enabled"]


async def test_a_secret_that_was_not_confirmed_is_deleted_without_a_word_in_the_audit(
    user: User, deps: Deps
) -> None:
    await begin(user)
    assert (await user.client.delete("/profile/totp", json={"current_password": PASSWORD})).status == 204
    assert await audit_types(deps) == []


async def test_confirming_needs_a_code(user: User) -> None:
    await begin(user)
    assert (await user.client.post("/profile/totp/confirm", json={})).pointers == ["/code"]
    both = await user.client.post("/profile/totp/confirm", json={"code": "123456", "totp": "654321"})
    assert both.pointers == ["/totp"]


async def test_an_old_session_needs_the_password_for_each_step(
    client: Client, user: User, deps: Deps
) -> None:
    await age(deps, user, FRESH_FOR)

    async def send(method: str, path: str, **body: str) -> Answer:
        refusal = await user.client.request(method, path, json=body)
        assert (refusal.status, refusal.code) == (403, "reauthentication_needed")
        wrong = await user.client.request(method, path, json={**body, "current_password": "wrong"})
        assert (wrong.status, wrong.code) == (403, "bad_credentials")
        return await user.client.request(method, path, json={**body, "current_password": PASSWORD})

    app = Authenticator((await send("POST", "/profile/totp")).json["secret"])
    assert (await send("POST", "/profile/totp/confirm", code=app.code())).status == 200
    assert (await sign_in(client)).code == "totp_needed"
    assert (await send("DELETE", "/profile/totp")).status == 204
    assert (await sign_in(client)).status == 200


async def test_sessions_refresh_tokens_and_keys_need_no_code(client: Client, user: User) -> None:
    before = (await sign_in(client)).json
    key = (await user.client.post("/keys", json={"name": "k", "scopes": ["profile:read"]})).json["key"]
    app = await enable(user)
    answer = await client.post("/token/refresh", json={"refresh_token": before["refresh_token"]})
    assert answer.status == 200
    with_code = (await sign_in(client, totp=app.code(ahead=1))).json
    again = await client.post("/token/refresh", json={"refresh_token": with_code["refresh_token"]})
    for token in (before["access_token"], answer.json["access_token"], again.json["access_token"], key):
        assert (await client.signed_in(token).get("/profile")).status == 200


async def test_a_new_password_leaves_the_second_factor(client: Client, user: User, admin: User) -> None:
    app = await enable(user)
    token = (await admin.client.post(f"/admin/users/{user.id}/password-reset")).json["token"]
    new = "a wholly new battery"
    assert (await client.post("/password/reset", json={"token": token, "password": new})).status == 204
    account = {"login": "anna", "password": new}
    assert (await client.post("/login", json=account)).code == "totp_needed"
    assert (await client.post("/login", json={**account, "totp": app.code(ahead=1)})).status == 200


async def test_secrets_outlive_a_new_secret_that_names_the_previous_one(
    client: Client, user: User, server: RunningApp, deps: Deps
) -> None:
    app = await enable(user)
    server.use(replace(deps, tokens=TokenSettings(NEW_SECRET, previous_secret=SECRET)))
    assert (await sign_in(client, totp=app.code(ahead=1))).status == 200
    await forget_last_step(deps, user)
    server.use(replace(deps, tokens=TokenSettings(NEW_SECRET)))
    assert (await sign_in(client, totp=app.code())).code == "bad_credentials"
    assert (await sign_in(client, recovery_code=app.recovery_codes[0])).status == 200


async def test_neither_the_database_nor_a_log_holds_a_secret_or_a_code(
    client: Client, user: User, deps: Deps, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        app = await enable(user)
        codes = [app.code(), app.code(ahead=1), app.wrong_code()]
        for code in codes:
            await sign_in(client, totp=code)
        await sign_in(client, recovery_code=app.recovery_codes[0])
        await client.post("/login", json={"login": "anna", "totp": codes[0], "recovery_code": app.secret})
    assert "POST" in caplog.text
    shown = [app.secret, *app.recovery_codes, *codes[:2]]
    assert [text for text in shown if text in caplog.text] == []
    async with deps.db.read() as session:
        totp = (await session.scalars(select(Totp))).one()
        digests = list(await session.scalars(select(RecoveryCode.code_sha256)))
    stored = [totp.sealed_secret, *digests]
    assert len(digests) == 9
    for text in (app.secret, *app.recovery_codes):
        assert not [raw for raw in stored if text.encode() in raw or text.replace("-", "").encode() in raw]
