"""From a forgotten password to a new one by mail."""

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from clients.smtp import SmtpServer
from clients.smtp_message import parse_smtp_url
from db.models import PasswordReset
from service.deps import Deps
from service.mail import MailQueue
from tests.support.eventually import eventually
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp
from tests.support.mail_server import MailServer, play_mail_server
from tests.support.password_resets import NEW, admins_token, age, reset, set_email, sign_in

TOKEN = re.compile(r"^trawl_reset_[\w-]{43}$", re.MULTILINE)


@pytest.fixture
async def mails(server: RunningApp, deps: Deps) -> AsyncIterator[MailServer]:
    """A mail server that the application sends mails by."""
    async with play_mail_server() as mail_server:
        client = SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{mail_server.port}"))
        server.use(replace(deps, mail=MailQueue(client.send, deps.background)))
        yield mail_server


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
