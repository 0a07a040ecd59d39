"""From a forgotten password to a new one: by an admin's token, and by mail."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import aiohttp
import pytest
from sqlalchemy import select, update

from clients.smtp import SmtpServer
from clients.smtp_message import parse_smtp_url
from db.database import Database
from db.models import PasswordReset
from service.deps import Deps, RateLimits
from service.mail import MailQueue
from tests.support.eventually import eventually
from tests.support.http_client import Answer, Client, User
from tests.support.http_server import RunningApp
from tests.support.mail_server import MailServer, play_mail_server

PASSWORD, NEW = "correct horse battery", "a wholly new battery"
TOKEN = re.compile(r"^trawl_reset_[\w-]{43}$", re.MULTILINE)


@pytest.fixture
async def mails(server: RunningApp, deps: Deps) -> AsyncIterator[MailServer]:
    """A mail server that the application sends mails by."""
    async with play_mail_server() as mail_server:
        client = SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{mail_server.port}"))
        server.use(replace(deps, mail=MailQueue(client.send, deps.background)))
        yield mail_server


async def admins_token(admin: User, user: User) -> str:
    answer = await admin.client.post(f"/admin/users/{user.id}/password-reset")
    assert answer.status == 201, answer.body
    token: str = answer.json["token"]
    return token


async def reset(client: Client, token: str, password: str = NEW) -> Answer:
    return await client.post("/password/reset", json={"token": token, "password": password})


async def sign_in(client: Client, login: str, password: str) -> int:
    return (await client.post("/login", json={"login": login, "password": password})).status


async def set_email(user: User, email: str) -> None:
    changes = {"email": email, "current_password": PASSWORD}
    answer = await user.client.patch("/profile", json=changes)
    if answer.status == 422:  # it takes current_password with a new password alone
        answer = await user.client.patch("/profile", json={"email": email})
    assert answer.status == 200, answer.body


async def age(db: Database, by: timedelta) -> None:
    """Make the tokens as much older."""
    async with db.transaction() as session:
        await session.execute(update(PasswordReset).values(expires_at=PasswordReset.expires_at - by))


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
    ("language", "subject", "word"),
    [("en", "A new password for Trawl", "works once"), ("ru,en;q=0.5", "Новый пароль для Trawl", "один раз")],
)
async def test_a_mail_brings_a_token_to_the_accounts_e_mail(
    client: Client, user: User, mails: MailServer, *, language: str, subject: str, word: str
) -> None:
    await set_email(user, "Anna@shop.example")
    headers = {"Accept-Language": language}
    answer = await client.post("/password/forgot", json={"login": "aNNA"}, headers=headers)
    assert (answer.status, answer.body) == (202, b"")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    await arrival(mails, 1)
    assert (mails.recipients, mails.mails[0]["Subject"]) == ([["Anna@shop.example"]], subject)
    assert word in mails.text()
    [token] = TOKEN.findall(mails.text().replace("\r\n", "\n"))
    assert (await reset(client, token)).status == 204
    assert await sign_in(client, "anna@shop.example", NEW) == 200
    assert (await reset(client, token)).code == "bad_reset_token"


async def arrival(mails: MailServer, count: int) -> None:
    """Wait until so many mails have come."""

    async def is_there() -> bool:
        return len(mails.mails) >= count

    await eventually(is_there)


async def test_nobody_learns_who_has_an_account_or_an_e_mail(
    client: Client, user: User, other_user: User, admin: User, mails: MailServer
) -> None:
    await set_email(user, "anna@shop.example")
    await set_email(other_user, "boris@shop.example")
    await admin.client.patch(f"/admin/users/{other_user.id}", json={"active": False})
    answers = [
        await client.post("/password/forgot", json={"login": login})
        for login in ("nobody", "root", "boris", "nobody@shop.example", "ANNA@shop.example")
    ]
    assert {(answer.status, answer.body) for answer in answers} == {(202, b"")}
    assert len({frozenset(answer.headers) for answer in answers}) == 1
    await arrival(mails, 1)
    assert mails.recipients == [["anna@shop.example"]]


async def test_the_answer_does_not_wait_for_the_account_or_the_mail(
    client: Client, user: User, mails: MailServer, deps: Deps
) -> None:
    await set_email(user, "anna@shop.example")
    mails.replies = ["hang"]
    assert (await client.post("/password/forgot", json={"login": "anna"})).status == 202

    async def is_hanging() -> bool:
        return mails.attempts == 1

    await eventually(is_hanging)
    assert mails.mails == []


async def test_an_account_gets_three_mails_an_hour(
    client: Client, user: User, mails: MailServer, deps: Deps
) -> None:
    async def is_decided() -> bool:
        return not deps.background._tasks

    await set_email(user, "anna@shop.example")
    for number in range(3):
        await client.post("/password/forgot", json={"login": "anna"})
        await arrival(mails, number + 1)
    await client.post("/password/forgot", json={"login": "anna"})
    await eventually(is_decided)  # that no mail is sent
    await age(deps.db, timedelta(hours=1))
    await client.post("/password/forgot", json={"login": "anna"})
    await arrival(mails, 4)
    assert len(mails.mails) == 4
    async with deps.db.read() as session:
        assert len(list(await session.scalars(select(PasswordReset)))) == 1  # the others have expired


async def test_a_mailed_token_is_void_once_the_e_mail_changes(
    client: Client, user: User, mails: MailServer
) -> None:
    await set_email(user, "anna@shop.example")
    await client.post("/password/forgot", json={"login": "anna"})
    await arrival(mails, 1)
    [token] = TOKEN.findall(mails.text().replace("\r\n", "\n"))
    await set_email(user, "new@shop.example")
    assert (await reset(client, token)).code == "bad_reset_token"


async def test_without_a_mail_server_the_answer_is_the_same(client: Client, user: User, deps: Deps) -> None:
    await set_email(user, "anna@shop.example")
    assert (await client.post("/password/forgot", json={"login": "anna"})).status == 202
    async with deps.db.read() as session:
        assert list(await session.scalars(select(PasswordReset))) == []


async def test_no_token_stands_in_a_log_or_in_the_database(
    client: Client,
    user: User,
    admin: User,
    mails: MailServer,
    *,
    deps: Deps,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    await set_email(user, "anna@shop.example")
    mails.replies = ["550 no"]
    await client.post("/password/forgot", json={"login": "anna"})

    async def is_refused() -> bool:
        return "mail_undelivered" in caplog.text

    await eventually(is_refused)
    token = await admins_token(admin, user)
    await reset(client, token, "password1")
    await reset(client, token)
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")
    assert "trawl_reset_" not in ours
    assert NEW not in ours
    assert "Somebody" not in ours
    token = await admins_token(admin, user)
    async with deps.db.read() as session:
        [digest] = await session.scalars(select(PasswordReset.token_sha256))
    assert token.encode() not in digest


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
async def test_what_can_not_be_read_is_told(
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
