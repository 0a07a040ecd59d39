"""A mail in plain text, and the address of the server that sends it."""

import ipaddress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

Tls = Literal["always", "starttls", "optional", "none"]
PORTS = {"smtp": 587, "smtps": 465}
CHOICES: dict[str, Tls] = {"required": "starttls", "optional": "optional", "none": "none"}


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail. Its text, which holds a secret, is in no `repr`."""

    recipient: str
    subject: str
    text: str = field(repr=False)
    at: datetime


@dataclass(frozen=True, slots=True)
class SmtpAddress:
    """A mail server, and how to talk to it."""

    host: str
    port: int
    tls: Tls
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None  # the file of the certificates to trust; the system's if None

    @property
    def is_verified(self) -> bool:
        """Whether the server must show a good certificate: not on this machine, unless `ca` says by whom."""
        return self.ca is not None or not is_loopback(self.host)


def parse_smtp_url(url: str) -> SmtpAddress:
    """Parse `smtp://user:password@host:587` (STARTTLS) or `smtps://…:465` (TLS from the start).

    `?tls=optional` and `?tls=none` do with less; a server on this machine needs none. `?ca=FILE` is trusted.

    :raises ValueError: it is no such URL
    """
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    if parts.scheme not in PORTS or not parts.hostname or parts.port == 0 or parts.path not in ("", "/"):
        raise ValueError("no URL of a mail server")
    if options.keys() - {"tls", "ca"} or (parts.scheme == "smtps" and "tls" in options):
        raise ValueError("an unknown option")
    tls = CHOICES.get(options.get("tls", "optional" if is_loopback(parts.hostname) else "required"))
    if tls is None:
        raise ValueError("an unknown option")
    return SmtpAddress(
        host=parts.hostname,
        port=parts.port or PORTS[parts.scheme],
        tls="always" if parts.scheme == "smtps" else tls,
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password is not None else None,
        ca=options.get("ca"),
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, so that nobody can listen on the way."""
    return ipaddress.ip_address(host).is_loopback if is_ip_address(host) else host == "localhost"


def is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
