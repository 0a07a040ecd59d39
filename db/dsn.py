"""The URL of a database, as libpq writes it: what asyncpg reads itself, and what has to be told to it apart.

asyncpg knows several hosts, sockets, TLS (`sslmode` and its like), `target_session_attrs` and more, and sends
what it does not know as a parameter of the session. libpq has parameters that are none; managed databases put
them into the URLs that they give out. One is ours: `pooler=transaction`, for a pooler that may run each
transaction on another connection.
"""

import configparser
import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit

CONNECT_SECONDS = 2.0
MAX_PORT = 65535
DEFAULT_PORT = "5432"
TLS_VERSIONS = ("TLSv1.2", "TLSv1.3")
CHOICES = {
    "pooler": ("session", "transaction"),
    "sslmode": ("disable", "allow", "prefer", "require", "verify-ca", "verify-full"),
    "sslnegotiation": ("postgres", "direct"),
    "ssl_min_protocol_version": TLS_VERSIONS,
    "ssl_max_protocol_version": TLS_VERSIONS,
    "target_session_attrs": ("any", "read-write", "read-only", "primary", "standby", "prefer-standby"),
    # asyncpg has neither: what demands them can't be honoured.
    "gssencmode": ("prefer", "allow", "disable"),
    "load_balance_hosts": ("disable",),
}
SYSTEM = "system"  # as sslrootcert: the authorities that this system trusts
QUOTED = "the characters @ : / # ? [ ] of a user, password or database as %40 %3A %2F %23 %3F %5B %5D"
SCHEMES = ("postgresql", "postgres", "postgresql+asyncpg")
# Of libpq's own connection. Ours are in db/engine.py (keepalive); asyncpg has no channel binding, for which
# managed databases ask in the URLs that they give out.
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
        "tcp_user_timeout",
    }
)


class WrongParameter(ValueError):
    """A parameter that can't be honoured. The message says what it takes: `as sslkey …, not …`."""


def check_dsn(url: str) -> None:
    """Check the form of a URL with its hosts, ports and seconds, and what its parameters name.

    :raises WrongParameter: a parameter has a wrong value, or names a file that can't be used
    :raises ValueError: it is not a URL of PostgreSQL
    """
    parts = split_url(url)
    if parts.scheme not in SCHEMES:
        raise ValueError
    check_account(parts)
    parameters = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    check_ports(parts, parameters)
    check_timeout(parameters)
    check_choices(parameters)
    check_peer(parameters)
    check_certificates(parameters)
    check_passfile(parameters)
    check_service(parameters)


def split_url(url: str) -> SplitResult:
    """Split a URL.

    :raises WrongParameter: its host is an IPv6 address without brackets, or the like
    :raises ValueError: it is not a URL
    """
    try:
        return urlsplit(url)
    except ValueError:
        if "[" in url or "]" in url:
            raise WrongParameter(f"as host an IPv6 address such as [::1]; {QUOTED}") from None
        raise


def check_account(parts: SplitResult) -> None:
    """Refuse a URL that a character of its password cuts short. The message holds nothing of the URL."""
    _, _, after_account = parts.netloc.partition("@")
    is_address = parts.path != "" and all(map(is_port, ports_of(parts.netloc.rpartition("@")[2])))
    rest = parts.path + parts.fragment + ("" if is_address else parts.query)
    if "@" in after_account or "@" in rest:
        raise WrongParameter(QUOTED)


def check_ports(parts: SplitResult, parameters: Mapping[str, str]) -> None:
    """Refuse a port that is none. The message shows it, unless it may be part of a password."""
    account, _, hosts = parts.netloc.rpartition("@")
    for port in [*ports_of(hosts), *filter(None, parameters.get("port", "").split(","))]:
        if not is_port(port):
            may_be_password = not account and port in hosts  # of a URL that lacks its host
            value = "" if may_be_password else f", not {port}"
            raise WrongParameter(f"as port a number from 1 to {MAX_PORT}{value}")


def ports_of(hosts: str) -> list[str]:
    """List the ports that stand in the hosts of a URL."""
    ports = (host.rpartition("]")[2].partition(":")[2] for host in hosts.split(","))
    return [port for port in ports if port]


def is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= MAX_PORT


def check_timeout(parameters: Mapping[str, str]) -> None:
    seconds = parameters.get("connect_timeout", "0")
    if not (seconds.isascii() and seconds.replace(".", "", 1).isdigit()):
        raise WrongParameter(f"as connect_timeout seconds, not {seconds}")


def check_choices(parameters: Mapping[str, str]) -> None:
    for name, choices in CHOICES.items():
        value = parameters.get(name, choices[0])
        if value not in choices:
            raise WrongParameter(f"as {name} one of {', '.join(choices)}, not {value}")


def check_peer(parameters: Mapping[str, str]) -> None:
    """Refuse what asyncpg does not check: it takes the server behind a socket for that of any user."""
    if peer := parameters.get("requirepeer"):
        raise WrongParameter(f"as requirepeer nothing, as the driver can't check it, not {peer}")


def check_certificates(parameters: Mapping[str, str]) -> None:
    """Load what the parameters of TLS name, as the driver will do it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusts_system = parameters.get("sslrootcert") == SYSTEM
    if trusts_system and parameters.get("sslmode", "verify-full") != "verify-full":
        raise WrongParameter(f"as sslmode verify-full beside sslrootcert=system, not {parameters['sslmode']}")
    for name in ("sslcrl",) if trusts_system else ("sslrootcert", "sslcrl"):
        if path := parameters.get(name):
            try:
                context.load_verify_locations(cafile=path)
            except ssl.SSLError:
                raise WrongParameter(f"as {name} a PEM file, which {path} is not") from None
            except OSError as error:
                raise WrongParameter(f"as {name} a PEM file, not {path}: {error.strerror}") from None
    certificate, key = parameters.get("sslcert"), parameters.get("sslkey")
    for name, path in (("sslcert", certificate), ("sslkey", key)):
        if path:
            check_readable(name, path)
    if certificate:
        try:
            context.load_cert_chain(certificate, key, password=parameters.get("sslpassword", ""))
        except ssl.SSLError:
            files = f"{certificate} and {key or 'no sslkey'}"
            raise WrongParameter(f"as sslcert and sslkey PEM files that fit, not {files}") from None


def check_passfile(parameters: Mapping[str, str]) -> None:
    if path := parameters.get("passfile"):
        check_readable("passfile", path)


def check_service(parameters: Mapping[str, str]) -> None:
    """Check that the service is in the file that the driver reads."""
    service = parameters.get("service")
    if service is None:
        return
    path = os.environ.get("PGSERVICEFILE") or str(Path.home() / ".pg_service.conf")
    services = configparser.ConfigParser()
    try:
        services.read_string(Path(path).read_text())
    except OSError as error:
        raise WrongParameter(
            f"as service one of the file that PGSERVICEFILE names, not {service}; {path}: {error.strerror}"
        ) from None
    except (configparser.Error, UnicodeDecodeError):
        raise WrongParameter(f"as service one of {path}, which is not a file of services") from None
    if service not in services:
        known = ", ".join(services.sections()) or "none"
        raise WrongParameter(f"as service one of {path} ({known}), not {service}")


def check_readable(name: str, path: str) -> None:
    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise WrongParameter(f"as {name} a file that can be read, not {path}: {error.strerror}") from None


def split_dsn(url: str) -> tuple[str, float]:
    """Return a URL for asyncpg, and the seconds after which a connection is given up (`connect_timeout`)."""
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query))
    seconds = float(parameters.pop("connect_timeout", 0)) or CONNECT_SECONDS
    parameters.pop("pooler", None)
    own_parameters = {name: value for name, value in parameters.items() if name not in IGNORED}
    path = "" if parts.path == "/" else parts.path  # the driver takes a slash alone for a database of no name
    return parts._replace(scheme="postgresql", path=path, query=urlencode(own_parameters)).geturl(), seconds


def system_tls(url: str) -> ssl.SSLContext | None:
    """Return how TLS is spoken with `sslrootcert=system`, which the driver takes for a file; else None."""
    parameters = dict(parse_qsl(urlsplit(url).query))
    if parameters.get("sslrootcert") != SYSTEM:
        return None
    context = ssl.create_default_context()
    if crl := parameters.get("sslcrl"):
        context.load_verify_locations(cafile=crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN
    if certificate := parameters.get("sslcert"):
        password = parameters.get("sslpassword", "")
        context.load_cert_chain(certificate, parameters.get("sslkey"), password=password)
    return context


def is_transaction_pooled(url: str) -> bool:
    """Return whether nothing of a session may be used: it may be another one after each transaction."""
    return dict(parse_qsl(urlsplit(url).query)).get("pooler") == "transaction"


def describe_address(url: str) -> str:
    """Return the hosts, with ports, and the database of a URL, for a message: no user and no password.

    Where it names no host, the driver takes those of libpq's variables, or sockets and then this machine.
    """
    parts = urlsplit(url)
    parameters = dict(parse_qsl(parts.query))
    default_host = "" if "service" in parameters else os.environ.get("PGHOST", "localhost")
    hosts = unquote(parts.netloc.rpartition("@")[2] or parameters.get("host", default_host)).split(",")
    port = parameters.get("port") or os.environ.get("PGPORT", DEFAULT_PORT)
    addresses = [
        host if host.startswith("/") or not host or has_port(host) else f"{host}:{port}" for host in hosts
    ]
    return f"{','.join(addresses)}{parts.path}"


def has_port(host: str) -> bool:
    return ":" in host.rpartition("]")[2]
