"""What transport must know beside the dependencies of the use cases."""

from dataclasses import dataclass, field

from transport.linger import Linger


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait for a client. Only tests give other ones."""

    export: float = 60.0  # until it has taken a chunk of an export
    event: float = 30.0  # until it has taken a server-sent event
    token_check: float = 2.0  # between two checks that the token of an open event stream is still valid


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """What the operator says of clients.

    :param cors_origins: whose pages may read answers (CORS)
    :param proxies_count: how many proxies may name the client's address
    :param real_ip_header: the header in which they do
    :param allowed_hosts: names that Host may have, in lower case; empty for any
    :param base_path: under which a proxy shows the server, such as `/trawl`; empty for none
    :param metrics_token: what /metrics and the detail of /health need; None for nothing
    """

    cors_origins: tuple[str, ...] = ()
    proxies_count: int | None = None
    real_ip_header: str | None = None
    allowed_hosts: frozenset[str] = frozenset()
    base_path: str = ""
    metrics_token: str | None = field(default=None, repr=False)
    timeouts: Timeouts = field(default_factory=Timeouts)
    linger: Linger = field(default_factory=Linger)

    @property
    def believes_proxies(self) -> bool:
        """Return whether a forwarded address of the client is believed."""
        return self.proxies_count is not None or self.real_ip_header is not None
