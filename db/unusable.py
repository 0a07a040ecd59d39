"""Says why a database can't be used: the setting, the address, the cause and, where it is plain, a remedy."""

import re
from socket import gaierror

from db.dsn import describe_address
from db.outages import driver_error, sqlstate

PYTHON_NAME = re.compile(r"<\w+\.\w+: '([^']+)'>")  # of a member of an enum, in a message of the driver
# What the driver says where its first bytes, which ask for TLS, are not answered as PostgreSQL does.
NOT_POSTGRES = ("rejected SSL upgrade", "unexpected connection_lost() call")
REMEDIES = {  # by SQLSTATE
    "28000": "set a user that it takes, or let it take this one (pg_hba.conf)",
    "28P01": "set the password that this user has there",
    "3D000": "create it there (createdb), or set the name of one that exists",
    "42501": "grant it to the user that is set, or set another",
    "53300": "end some of its connections, or raise its max_connections",
}


class DatabaseUnusable(Exception):
    """The database can't be reached or used. The message names the setting, the address and the cause."""


def describe_unusable(url: str, error: BaseException) -> str:
    """Return one line on an error that a connection to the database of a URL has met."""
    cause, remedy = explain(error)
    return f"DATABASE_URL: {describe_address(url)}: {cause}" + (f"; {remedy}" if remedy else "")


def explain(error: BaseException) -> tuple[str, str]:
    """Return the cause, in words of PostgreSQL if it answers, and the remedy, empty if it is not plain."""
    cause = driver_error(error)
    origin = cause.__cause__ if isinstance(cause.__cause__, OSError) else cause
    match origin:
        case ConnectionRefusedError():
            return "nothing listens there", "start PostgreSQL, or set the host and port where it runs"
        case FileNotFoundError():
            return "there is no socket", "start PostgreSQL, or set the host and port where it runs"
        case gaierror():
            return "the host is not known", "set its name as DNS or /etc/hosts has it, or its address"
        case TimeoutError():
            return "it does not answer", "look at the host, the port, and firewalls between"
        case ConnectionError() if str(origin).endswith(NOT_POSTGRES):
            return "what answers there is no PostgreSQL, or one without TLS", "check host, port and sslmode"
        case OSError(strerror=str(reason)):
            return reason, "look at the host, the port, and the network between"
    [text, *_] = str(cause).splitlines() or [type(cause).__name__]
    return PYTHON_NAME.sub(r"\1", text), REMEDIES.get(sqlstate(error) or "", "")
