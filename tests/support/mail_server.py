"""A mail server for tests (aiosmtpd), in the test's event loop; slow and broken on demand.

mail_server.pem is its certificate and key, made for these tests alone.
"""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, Literal, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

CERTIFICATE = Path(__file__).with_name("mail_server.pem")
OTHER_AUTHORITY = Path(__file__).with_name("other_authority.pem")  # has signed nothing
CREDENTIALS = (b"trawl@shop.example", b"p@ss/word")
Encryption = Literal["none", "starttls", "tls"]


@dataclass
class MailServer:
    """Keeps the mails that it takes. `replies` are its answers to the next ones, before those of 250."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    released: asyncio.Event = field(default_factory=asyncio.Event)  # lets those of "hang" go
    attempts: int = 0
    encrypted: list[bool] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.attempts += 1
        reply = self.replies.pop(0) if self.replies else "250 taken"
        if reply == "hang":
            await self.released.wait()
        if reply == "cut":
            cast(asyncio.Transport, server.transport).abort()
        if reply.startswith("250"):
            assert isinstance(envelope.content, bytes)
            message = message_from_bytes(envelope.content, policy=default)
            self.mails.append(message)
            self.recipients.append(envelope.rcpt_tos)
            transport = cast(asyncio.Transport, server.transport)
            self.encrypted.append(transport.get_extra_info("ssl_object") is not None)
        return reply

    def authenticate(
        self, _server: Any, session: Any, _envelope: Any, mechanism: str, data: Any
    ) -> AuthResult:
        self.users.append(data.login.decode())
        return AuthResult(success=(data.login, data.password) == CREDENTIALS, handled=False)

    def text(self, number: int = -1) -> str:
        """The text of a mail."""
        text: str = self.mails[number].get_content()
        return text


@asynccontextmanager
async def play_mail_server(
    encryption: Encryption = "none", *, with_login: bool = False
) -> AsyncIterator[MailServer]:
    mail_server = MailServer()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        return SMTP(
            mail_server,
            hostname="localhost",
            enable_SMTPUTF8=True,
            tls_context=context if encryption == "starttls" else None,
            require_starttls=encryption == "starttls",
            authenticator=mail_server.authenticate if with_login else None,
            auth_required=with_login,
            auth_require_tls=False,
            loop=loop,
        )

    def connection() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that passwords may come without TLS
            return protocol()

    server = await loop.create_server(
        connection, "127.0.0.1", 0, ssl=context if encryption == "tls" else None
    )
    mail_server.port = server.sockets[0].getsockname()[1]
    try:
        yield mail_server
    finally:
        mail_server.released.set()
        server.close()
        await server.wait_closed()
