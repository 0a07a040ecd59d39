"""Which errors say that the database is away for now, and which that a connection is lost."""

from asyncpg import InternalClientError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATEs of a database that is starting, stopping, full of clients, read-only or giving up on a deadlock.
PASSING_STATES = ("08", "53", "57P", "57014", "25006", "40001", "40P01")
# Those with which a server hangs up.
LAST_STATES = ("08", "57P01", "57P02")


def sqlstate(error: BaseException) -> str | None:
    """PostgreSQL's code of an error, through SQLAlchemy or straight from the driver."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def is_outage(error: BaseException) -> bool:
    """Whether the database, or what else is connected to, is away, so that the same may succeed later."""
    state = sqlstate(error)
    if state is not None:
        return state.startswith(PASSING_STATES)
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, PoolTimeout | OSError)


def loses_connection(error: BaseException) -> bool:
    """Whether the connection is of no use any more, also while its end has not come to our notice.

    A server that stops says so, then hangs up. In between the driver refuses commands with an
    InternalClientError, as it would refuse two at once.
    """
    refused = any(isinstance(each, InternalClientError) for each in (error, error.__cause__))
    return refused or (sqlstate(error) or "").startswith(LAST_STATES)
