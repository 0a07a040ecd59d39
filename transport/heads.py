"""Checks the head of a request before anything is made of it: its host, and how its body is framed."""

import multiprocessing
from collections.abc import Sequence
from typing import Any

import structlog
from sanic.exceptions import BadRequest

log = structlog.get_logger("trawl.http")

FORWARDED = frozenset({b"x-forwarded-for", b"forwarded", b"x-real-ip"})

Headers = Sequence[tuple[bytes, bytes]]


class BadHead(BadRequest):
    """The head of a request is refused, and what follows it is not read."""

    def __init__(self, detail: str, code: str = "bad_request") -> None:
        super().__init__(detail)
        self.code = code


def check_head(scope: dict[str, Any], allowed_hosts: frozenset[str]) -> None:
    """Check the Host and the Transfer-Encoding of an ASGI scope.

    :param allowed_hosts: names in lower case; empty for any
    :raises BadHead: a header is missing, repeated or not taken here
    """
    headers: Headers = scope["headers"]
    check_host([value for name, value in headers if name == b"host"], scope["http_version"], allowed_hosts)
    for name, value in headers:
        # The server takes any list that ends with "chunked", and decodes nothing but the chunks.
        if name == b"transfer-encoding" and value.strip().lower() not in (b"chunked", b"identity"):
            raise BadHead("this Transfer-Encoding is not taken here", "unsupported_transfer_encoding")


def check_host(hosts: Sequence[bytes], version: str, allowed_hosts: frozenset[str]) -> None:
    """Check that a request has one Host, and one that is allowed. The server makes an empty one of none.

    :raises BadHead: it is not so
    """
    if len(hosts) > 1 or (version == "1.1" and not any(hosts)):
        raise BadHead("a request needs one Host header")
    if allowed_hosts and not (hosts and host_name(hosts[0]) in allowed_hosts):
        raise BadHead("this server has another name", "unknown_host")


def host_name(host: bytes) -> str:
    """Return the name of a Host header, in lower case and without its port."""
    text = host.decode("latin-1").strip().lower()
    end = text.find("]") + 1  # of an IPv6 address, which holds colons
    return text[:end] if end else text.partition(":")[0].removesuffix(".")


class ForwardedWarning:
    """Warns once of forwarded addresses that are not believed: all clients then count as their proxy.

    Workers that are forked with one such object warn once together.
    """

    def __init__(self) -> None:
        self._is_logged = False  # spares the lock
        # The first worker takes it, and nobody gives it back.
        self._first = multiprocessing.Lock()

    def check(self, scope: dict[str, Any]) -> None:
        """Log the first request that names a client's address, and the setting to change."""
        if self._is_logged:
            return
        for name, _ in scope["headers"]:
            if name in FORWARDED:
                self._is_logged = True
                if self._first.acquire(block=False):
                    log.warning(
                        "forwarded_address_ignored",
                        header=name.decode(),
                        proxy=(scope.get("client") or [None])[0],
                        advice="behind a proxy, set PROXIES_COUNT or REAL_IP_HEADER",
                    )
                return
