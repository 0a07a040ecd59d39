"""What transport must know beside the dependencies of the use cases."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for a client. Only tests give other ones."""

    body: float = 30.0  # for the next chunk of a request's body
    export: float = 60.0  # until it has taken a chunk of an export
    event: float = 30.0  # until it has taken a server-sent event
    token_check: float = 2.0  # between two checks that the token of an open event stream is still valid


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Which origins' pages may read answers (CORS), and which proxies may name the client's address."""

    cors_origins: tuple[str, ...] = ()
    proxies_count: int | None = None
    real_ip_header: str | None = None
    timeouts: Timeouts = field(default_factory=Timeouts)
