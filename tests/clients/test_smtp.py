"""The client of a mail server, against a real one."""

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from clients.smtp import SmtpServer, default_sender
from clients.smtp_message import Mail, parse_smtp_url
from clients.upstream import UpstreamError, UpstreamFailed, UpstreamRefused, UpstreamSlow
from tests.support.command_line import free_port
from tests.support.mail_server import CERTIFICATE, OTHER_AUTHORITY, Encryption, play_mail_server

TEXT = "Токен:\n\ntrawl_reset_" + "x" * 43 + "\n"
MAIL = Mail(
    "anna@shop.example",
    "Новый пароль",
    "Токен:\n\ntrawl_reset_" + "x" * 43 + "\n",
    datetime(2026, 5, 6, tzinfo=UTC),
)
PATIENCE = 60.0


async def test_a_mail_arrives_as_it_was_written() -> None:
    async with play_mail_server() as server:
        client = SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{server.port}"), sender="trawl@shop.example")
        await client.send(MAIL, within=PATIENCE)
        [mail] = server.mails
    assert server.recipients == [["anna@shop.example"]]
    assert (mail["From"], mail["To"], mail["Subject"]) == ("trawl@shop.example", MAIL.recipient, MAIL.subject)
    assert mail["Date"].datetime == MAIL.at
    assert mail["Message-ID"].endswith("@shop.example>")
    assert (mail.get_content_type(), mail.get_content().replace("\r\n", "\n")) == ("text/plain", MAIL.text)


@pytest.mark.parametrize(("scheme", "encryption"), [("smtp", "starttls"), ("smtps", "tls")])
async def test_it_is_encrypted_for_a_server_with_a_good_certificate_alone(
    scheme: str, encryption: Encryption, tmp_path: Path
) -> None:
    async with play_mail_server(encryption, with_login=True) as server:
        url = f"{scheme}://trawl%40shop.example:p%40ss%2Fword@localhost:{server.port}"
        await SmtpServer(parse_smtp_url(f"{url}?ca={CERTIFICATE}")).send(MAIL, within=PATIENCE)
        await SmtpServer(parse_smtp_url(url)).send(MAIL, within=PATIENCE)  # of this machine any is good
        assert (server.encrypted, server.users) == ([True] * 2, ["trawl@shop.example"] * 2)
        elsewhere = replace(parse_smtp_url(url), ca=str(OTHER_AUTHORITY))
        with pytest.raises(UpstreamError):
            await SmtpServer(elsewhere).send(MAIL, within=PATIENCE)
        assert (len(server.mails), len(server.users)) == (2, 2)


async def test_without_encryption_nothing_is_sent_to_another_machine() -> None:
    async with play_mail_server(with_login=True) as server:
        address = parse_smtp_url(
            f"smtp://trawl%40shop.example:p%40ss%2Fword@127.0.0.1:{server.port}?tls=required"
        )
        with pytest.raises(UpstreamRefused, match="STARTTLS"):
            await SmtpServer(address).send(MAIL, within=PATIENCE)
        assert (server.mails, server.users) == ([], [])
        await SmtpServer(replace(address, tls="none")).send(MAIL, within=PATIENCE)
        assert server.encrypted == [False]


@pytest.mark.parametrize(
    ("reply", "error", "cause"),
    [
        ("550 no trawl_reset_secret", UpstreamRefused, "SMTPDataError 550"),
        ("451 later", UpstreamFailed, "SMTPDataError 451"),
        ("cut", UpstreamFailed, "SMTPServerDisconnected"),
        ("hang", UpstreamSlow, "no answer in time"),
    ],
)
async def test_failures_are_told_apart_and_hold_nothing_of_the_mail(
    reply: str, error: type[UpstreamError], cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    calls: list[Any] = []
    async with play_mail_server() as server:
        server.replies = [reply]
        address = parse_smtp_url(f"smtp://127.0.0.1:{server.port}")
        client = SmtpServer(address, on_call=lambda outcome, _: calls.append(outcome))
        with pytest.raises(error, match=cause):
            await client.send(MAIL, within=0.2 if reply == "hang" else PATIENCE)
    assert calls == [error.__name__]
    ours = [record.getMessage() for record in caplog.records if record.name != "mail.log"]  # not the server's
    assert ours
    assert not any("trawl_reset" in line or MAIL.recipient in line for line in ours)


async def test_wrong_credentials_are_refused() -> None:
    async with play_mail_server(with_login=True) as server:
        address = parse_smtp_url(f"smtp://anna:hunter2@127.0.0.1:{server.port}")
        with pytest.raises(UpstreamRefused, match="SMTPAuthenticationError 535"):
            await SmtpServer(address).send(MAIL, within=PATIENCE)
        assert server.mails == []


async def test_a_server_that_is_away_fails() -> None:
    with pytest.raises(UpstreamFailed):
        await SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{free_port()}")).send(MAIL, within=PATIENCE)


@pytest.mark.parametrize("recipient", ["anna@shop.example\r\nBcc: all@shop.example", "a\0@b", "кот@дом"])
async def test_an_odd_recipient_gets_its_mail_or_none_and_nobody_else_does(recipient: str) -> None:
    async with play_mail_server() as server:
        client = SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{server.port}"))
        try:
            await client.send(replace(MAIL, recipient=recipient), within=PATIENCE)
        except UpstreamError:
            assert server.mails == []
        else:
            assert server.recipients == [[recipient]]
            assert server.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    ("url", "host", "port", "tls"),
    [
        ("smtp://mail.example", "mail.example", 587, "starttls"),
        ("smtp://mail.example:25?tls=none", "mail.example", 25, "none"),
        ("smtp://mail.example/?tls=optional", "mail.example", 587, "optional"),
        ("smtps://mail.example", "mail.example", 465, "always"),
        ("smtp://localhost:1025", "localhost", 1025, "optional"),
        ("smtp://[::1]", "::1", 587, "optional"),
        ("smtp://127.0.0.1?tls=required", "127.0.0.1", 587, "starttls"),
    ],
)
def test_the_url_says_how_to_talk(url: str, host: str, port: int, tls: str) -> None:
    address = parse_smtp_url(url)
    assert (address.host, address.port, address.tls) == (host, port, tls)
    assert address.is_verified == (host == "mail.example")


@pytest.mark.parametrize(
    "url",
    [
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:0",
        "smtp://mail.example:x",
        "smtp://mail.example/path",
        "smtp://mail.example?tls=maybe",
        "smtp://mail.example?colour=red",
        "smtps://mail.example?tls=none",
    ],
)
def test_any_other_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"no URL|option|[Pp]ort|bad query"):
        parse_smtp_url(url)


def test_secrets_of_the_url_are_in_no_repr() -> None:
    address = parse_smtp_url("smtp://anna:hunter2@mail.example")
    assert address.password == "hunter2"
    assert "hunter2" not in repr(address)
    assert "trawl_reset" not in repr(MAIL)


@pytest.mark.parametrize(
    ("url", "sender"),
    [
        ("smtp://anna%40shop.example@mail.example", "anna@shop.example"),
        ("smtp://anna@mail.example", "trawl@mail.example"),
        ("smtp://10.1.2.3", "trawl@localhost"),
        ("smtp://localhost", "trawl@localhost"),
    ],
)
def test_mails_come_from_the_user_or_the_host(url: str, sender: str) -> None:
    assert default_sender(parse_smtp_url(url)) == sender
