"""Tells errors of a database that is away for now, and of a lost connection, from all others."""

from asyncpg import InternalClientError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATEs of a database that starts, stops, has no free connection, is read-only or breaks a deadlock.
TRANSIENT_STATES = ("08", "53", "57P", "57014", "25006", "40001", "40P01")
# Those with which a server closes the connection.
CLOSING_STATES = ("08", "57P01", "57P02")


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's code of an error, raised by SQLAlchemy or by asyncpg; None if it has none."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    state = getattr(cause, "sqlstate", None)
    return state if isinstance(state, str) else None


def is_outage(error: BaseException) -> bool:
    """Return whether the database, or another server, is away, so that a retry may succeed."""
    state = sqlstate(error)
    if state is not None:
        return state.startswith(TRANSIENT_STATES)
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, PoolTimeout | OSError)


def loses_connection(error: BaseException) -> bool:
    """Return whether the connection can't be used any more, even if it is not closed yet.

    A server that stops says so, then closes the connection. In between asyncpg refuses commands with an
    InternalClientError, as it refuses two at once.
    """
    is_refused = any(isinstance(each, InternalClientError) for each in (error, error.__cause__))
    return is_refused or (sqlstate(error) or "").startswith(CLOSING_STATES)
