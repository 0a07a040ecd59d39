"""Sends mails by an operator's mail server."""

import asyncio
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid

import aiosmtplib
import structlog

from clients.smtp_message import Mail, SmtpAddress, is_ip_address
from clients.upstream import (
    OnCall,
    UpstreamError,
    UpstreamFailed,
    UpstreamRefused,
    UpstreamSlow,
    observe_call,
)

log = structlog.get_logger("trawl.smtp")

PERMANENT = range(500, 600)  # replies that another try does not change


class SmtpServer:
    """A client of a mail server. It raises only UpstreamErrors, none of which holds a part of a mail."""

    def __init__(
        self,
        address: SmtpAddress,
        *,
        sender: str | None = None,
        on_call: OnCall = lambda _outcome, _seconds: None,
    ) -> None:
        """Make a client. `sender` is the address that mails come from; `on_call` is as in `observe_call`."""
        self._address = address
        self._sender = sender or default_sender(address)
        self._on_call = on_call

    async def send(self, mail: Mail, *, within: float) -> None:
        """Hand a mail to the server.

        :raises UpstreamRefused: it does not take this mail, or does not let us in
        :raises UpstreamError: it has not taken it `within` so many seconds
        """
        with observe_call(log, "smtp_mail", self._on_call):
            try:
                message = make_message(mail, self._sender)
                async with asyncio.timeout(within):
                    await self._talk(message, mail.recipient, within)
            except (TimeoutError, aiosmtplib.SMTPTimeoutError):
                raise UpstreamSlow("no answer in time") from None
            except (aiosmtplib.SMTPException, OSError, ValueError, MessageError) as error:
                raise error_of(error) from None

    async def _talk(self, message: EmailMessage, recipient: str, within: float) -> None:
        """Send the message over a connection of its own.

        :raises UpstreamRefused: the server offers no STARTTLS, which SMTP_URL needs
        """
        address = self._address
        context = self._context()
        client = aiosmtplib.SMTP(
            hostname=address.host,
            port=address.port,
            use_tls=address.tls == "always",
            start_tls=False,
            tls_context=context if address.tls == "always" else None,
            timeout=within,
        )
        try:
            await client.connect()
            await client.ehlo()
            if address.tls in ("starttls", "optional") and client.supports_extension("starttls"):
                await client.starttls(tls_context=context)
                await client.ehlo()
            elif address.tls == "starttls":
                raise UpstreamRefused("it offers no STARTTLS: see SMTP_URL in the README")
            if address.user is not None:
                await client.login(address.user, address.password or "")
            await client.send_message(message, recipients=[recipient])
            await client.quit()
        finally:
            client.close()

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self._address.ca)
        if not self._address.is_verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


def default_sender(address: SmtpAddress) -> str:
    """Return the address that mails come from where none is set."""
    if address.user and "@" in address.user:
        return address.user
    return f"trawl@{'localhost' if is_ip_address(address.host) else address.host}"


def make_message(mail: Mail, sender: str) -> EmailMessage:
    """Make the message as it is sent.

    :raises ValueError: the recipient is not an address
    """
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = mail.recipient
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.at)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">"))
    message["Auto-Submitted"] = "auto-generated"  # so that no absence note answers
    message.set_content(mail.text)
    return message


def error_of(error: Exception) -> UpstreamError:
    """Make our error of another. The server's own words are left out: they may repeat the mail."""
    name = type(error).__name__
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused) and error.recipients:
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        kind = UpstreamRefused if error.code in PERMANENT else UpstreamFailed
        return kind(f"{name} {error.code}")
    permanent = isinstance(error, aiosmtplib.SMTPNotSupported | ssl.SSLCertVerificationError | MessageError)
    if permanent or (isinstance(error, ValueError) and not isinstance(error, OSError)):
        return UpstreamRefused(name)
    return UpstreamFailed(name)
