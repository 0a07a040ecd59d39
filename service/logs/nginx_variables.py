"""The variables of nginx's log_format that say something about a request; the text of all others is skipped.

Of several that say the same, the first of a list is read: the address of the connection rather than a header
that any client can send.
"""

from typing import Literal

Role = Literal[
    "address", "user", "local_time", "iso_time", "unix_time", "date", "time", "request", "method", "url",
    "path", "is_args", "query", "status", "body_bytes", "referrer", "agent", "host", "scheme", "list",
    "other",
]  # fmt: skip

VARIABLES: dict[Role, tuple[str, ...]] = {
    "address": (
        *("remote_addr", "realip_remote_addr", "proxy_protocol_addr", "http_cf_connecting_ip"),
        *("http_true_client_ip", "http_x_real_ip", "proxy_add_x_forwarded_for", "http_x_forwarded_for"),
    ),
    "iso_time": ("time_iso8601",),
    "local_time": ("time_local",),
    "unix_time": ("msec",),
    "request": ("request",),
    "method": ("request_method",),
    "url": ("request_uri",),
    "path": ("uri", "document_uri"),
    "is_args": ("is_args",),
    "query": ("args", "query_string"),
    "status": ("status",),
    "body_bytes": ("body_bytes_sent", "bytes_sent"),
    "referrer": ("http_referer",),
    "agent": ("http_user_agent",),
    "user": ("remote_user",),
    "host": ("host", "http_host", "server_name", "hostname", "proxy_host", "ssl_server_name"),
    "scheme": ("scheme",),
}
ROLES: dict[str, Role] = {name: role for role, names in VARIABLES.items() for name in names}
RANKS = {name: rank for names in VARIABLES.values() for rank, name in enumerate(names)}
LIST_PREFIX = "upstream_"  # such as `10.0.0.1:80, 10.0.0.2:80 : 10.0.0.3:80`


def role_of(name: str) -> Role:
    """Return what a variable stands for, without its dollar."""
    return ROLES.get(name, "list" if name.startswith(LIST_PREFIX) else "other")


def first_of_each_role(names: list[str]) -> set[int]:
    """Return the places of the variables to read: one of each role, the best."""
    best: dict[Role, int] = {}
    for place, name in enumerate(names):
        role = ROLES.get(name)
        if role is not None and (role not in best or RANKS[name] < RANKS[names[best[role]]]):
            best[role] = place
    return set(best.values())
