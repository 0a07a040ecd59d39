"""Sends mails in the background: a bounded number at a time, each by a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from clients.smtp_message import Mail
from clients.upstream import UpstreamError, UpstreamRefused
from service.background import Background

SendMail = Callable[..., Awaitable[None]]  # `send` of clients.smtp.SmtpServer

log = structlog.get_logger("trawl.mail")


@dataclass(frozen=True, slots=True)
class MailLimits:
    """How many mails of a process are under way, how many of them at the server, and the times in seconds."""

    pending: int = 100
    sending: int = 4
    attempt: float = 20.0
    pauses: tuple[float, ...] = (2.0, 10.0)  # before each further attempt
    deadline: float = 120.0  # from the request


MAIL_LIMITS = MailLimits()


class MailQueue:
    """Mails of this process that are under way. A mail that can't be delivered is logged and given up."""

    def __init__(self, send: SendMail, background: Background, *, limits: MailLimits = MAIL_LIMITS) -> None:
        self._send_mail = send
        self._background = background
        self._limits = limits
        self._pending = 0
        self._permits = asyncio.Semaphore(limits.sending)

    def submit(self, compose: Callable[[], Awaitable[Mail | None]]) -> None:
        """Send what `compose` returns, unless that is None, or too many mails are under way."""
        if self._pending >= self._limits.pending:
            log.warning("mail_dropped", cause="too many mails are under way")
            return
        self._pending += 1
        self._background.spawn(self._send(compose), name="mail")

    async def _send(self, compose: Callable[[], Awaitable[Mail | None]]) -> None:
        try:
            async with asyncio.timeout(self._limits.deadline), self._permits:
                mail = await compose()
                if mail is not None:
                    await self._deliver(mail)
        except TimeoutError:
            log.warning("mail_undelivered", cause="not in time")
        except UpstreamError as error:
            log.warning("mail_undelivered", cause=str(error))
        finally:
            self._pending -= 1

    async def _deliver(self, mail: Mail) -> None:
        """Hand a mail to the server, again after each pause if that fails.

        :raises UpstreamError: no attempt succeeded
        """
        for pause in self._limits.pauses:
            try:
                await self._send_mail(mail, within=self._limits.attempt)
            except UpstreamRefused:
                raise
            except UpstreamError:
                await asyncio.sleep(pause)
            else:
                return
        await self._send_mail(mail, within=self._limits.attempt)
