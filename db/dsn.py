"""The URL of a database, as libpq writes it: what asyncpg reads itself, and what has to be told to it apart.

asyncpg knows several hosts, sockets, TLS (`sslmode` and its like), `target_session_attrs` and more, and sends
what it does not know as a parameter of the session. libpq has parameters that are none; managed databases put
them into the URLs that they give out. One is ours: `pooler=transaction`, for a pooler that may run each
transaction on another connection.
"""

from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

CONNECT_SECONDS = 2.0
MAX_PORT = 65535
POOLERS = ("session", "transaction")
SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
# Of libpq's own connection. Ours are in db/engine.py (keepalive); asyncpg has no channel binding, no GSS
# encryption and no balancing of hosts.
IGNORED = frozenset(
    {
        "channel_binding",
        "client_encoding",
        "fallback_application_name",
        "gssdelegation",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "requirepeer",
        "tcp_user_timeout",
    }
)


def check_dsn(url: str) -> None:
    """Check the form of a URL with its hosts, ports and seconds.

    :raises ValueError: it is no URL of PostgreSQL
    """
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError
    parameters = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    if parameters.get("pooler", "session") not in POOLERS or float(parameters.get("connect_timeout", 0)) < 0:
        raise ValueError
    for host in parts.netloc.rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not 1 <= int(port) <= MAX_PORT:
            raise ValueError


def split_dsn(url: str) -> tuple[str, float]:
    """Return a URL for asyncpg, and the seconds after which a connection is given up (`connect_timeout`)."""
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query))
    seconds = float(parameters.pop("connect_timeout", 0)) or CONNECT_SECONDS
    parameters.pop("pooler", None)
    known = {name: value for name, value in parameters.items() if name not in IGNORED}
    return parts._replace(scheme="postgresql", query=urlencode(known)).geturl(), seconds


def is_transaction_pooled(url: str) -> bool:
    """Return whether nothing of a session may be used: it may be another one after each transaction."""
    return dict(parse_qsl(urlsplit(url).query)).get("pooler") == "transaction"


def describe_address(url: str) -> str:
    """Return the hosts and the database of a URL, for a message: no user and no password."""
    parts = urlsplit(url)
    hosts = parts.netloc.rpartition("@")[2] or dict(parse_qsl(parts.query)).get("host", "")
    return f"{unquote(hosts)}{parts.path}"
