"""Mails in the background: again after failures, by a deadline, and not too many."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest

from clients.smtp import SmtpServer
from clients.smtp_message import Mail, parse_smtp_url
from service.background import Background
from service.mail import MailLimits, MailQueue
from tests.support.eventually import eventually
from tests.support.mail_server import MailServer, play_mail_server

PATIENT = MailLimits(attempt=60.0, pauses=(0.0, 0.0), deadline=60.0)


def queue_for(server: MailServer, limits: MailLimits = PATIENT) -> MailQueue:
    client = SmtpServer(parse_smtp_url(f"smtp://127.0.0.1:{server.port}"))
    return MailQueue(client.send, Background(), limits=limits)


async def compose() -> Mail | None:
    return Mail("anna@shop.example", "subject", "trawl_reset_token", datetime(2026, 5, 6, tzinfo=UTC))


async def ended(queue: MailQueue) -> None:
    """Wait until no mail is under way."""

    async def is_idle() -> bool:
        return queue._pending == 0

    await eventually(is_idle)


async def test_a_mail_is_sent_again_until_it_is_taken() -> None:
    async with play_mail_server() as server:
        server.replies = ["451 later", "cut"]
        queue = queue_for(server)
        queue.submit(compose)
        await ended(queue)
        assert (server.attempts, len(server.mails)) == (3, 1)


@pytest.mark.parametrize(
    ("replies", "attempts", "cause"),
    [(["550 no"], 1, "SMTPDataError 550"), (["451 later"] * 9, 3, "SMTPDataError 451")],
)
async def test_a_mail_that_is_refused_or_fails_too_often_is_given_up(
    replies: list[str], attempts: int, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with play_mail_server() as server:
        server.replies = list(replies)
        queue = queue_for(server)
        queue.submit(compose)
        await ended(queue)
        assert (server.attempts, server.mails) == (attempts, [])
    [line] = [record.getMessage() for record in caplog.records if "mail_undelivered" in record.getMessage()]
    assert cause in line
    assert "anna" not in line


async def test_too_many_mails_are_dropped_and_a_slow_server_holds_none_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "trawl.mail")
    async with play_mail_server() as server:
        server.replies = ["hang"] * 9
        queue = queue_for(server, MailLimits(pending=3, sending=2, attempt=60.0, pauses=(), deadline=1.0))
        for _ in range(5):
            queue.submit(compose)
        assert queue._pending == 3
        await ended(queue)  # long before an attempt is
        assert (server.attempts > 0, server.mails) == (True, [])
        queue.submit(compose)
        assert queue._pending == 1
        await ended(queue)
    lines = [record.getMessage() for record in caplog.records]
    assert sum("mail_dropped" in line for line in lines) == 2
    assert sum("not in time" in line for line in lines) == 4


async def test_what_is_composed_to_nothing_is_not_sent() -> None:
    async def nothing() -> Mail | None:
        return None

    async with play_mail_server() as server:
        queue = queue_for(server)
        queue.submit(nothing)
        await ended(queue)
        await asyncio.sleep(0)
        assert server.attempts == 0
