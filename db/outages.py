"""Tells errors of a database that pass from those that last, and a lost connection from all others."""

import asyncio
import re
from errno import EDQUOT, ENOSPC

from asyncpg import InterfaceError as DriverError
from asyncpg import InternalClientError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

# SQLSTATEs of a database that starts, stops, has no free connection, is read-only or breaks a deadlock.
TRANSIENT_STATES = ("08", "53", "57P", "57014", "25006", "40001", "40P01")
# With which a coordinator of Citus tells, among other errors, of a worker that died in a transaction.
NODE_STATES = ("XX000", "58030")
LOST_NODE = re.compile(
    "failure on connection marked as essential|failed to prepare transaction|failed to COPY to shard"
    "|failed to complete COPY on|could not commit transaction for shard|terminating connection "
    "|the database system is |server closed the connection unexpectedly|no connection to the server"
)
DISK_FULL = "53100"
READ_ONLY = "25006"
NO_ROOM = (ENOSPC, EDQUOT)
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
        return state.startswith(TRANSIENT_STATES) or (state in NODE_STATES and loses_node(error))
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)
    return isinstance(error, PoolTimeout | OSError | DriverError)


def loses_node(error: BaseException) -> bool:
    """Return whether a cluster's coordinator says that a worker was lost; the session goes on."""
    return LOST_NODE.search(str(driver_error(error))) is not None


def is_lasting(error: BaseException) -> bool:
    """Return whether an error of the database comes again with each retry, until somebody mends the cause."""
    return not is_outage(error) and not loses_connection(error)


def is_disk_full(error: BaseException) -> bool:
    """Return whether PostgreSQL or this machine has no room for what is to be written."""
    return sqlstate(error) == DISK_FULL or (isinstance(error, OSError) and error.errno in NO_ROOM)


def is_read_only(error: BaseException) -> bool:
    """Return whether the database takes no writes now: it is a replica, or its disk is full."""
    return sqlstate(error) == READ_ONLY


def refuses_value(error: BaseException) -> bool:
    """Return whether a value is one that the database can't hold. The driver's own refusals are 22000."""
    return (sqlstate(error) or "").startswith("22")


def describe(error: BaseException) -> str:
    """Return PostgreSQL's own message on one line; the error's name where that holds values or addresses."""
    cause, state = driver_error(error), sqlstate(error)
    if state is None:
        return type(cause).__name__
    message = type(cause).__name__ if refuses_value(error) else str(cause).split("\n")[0]
    return f"{message} ({state})"


def driver_error(error: BaseException) -> BaseException:
    """Return asyncpg's error, which SQLAlchemy wraps twice."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    return error if cause is None else cause.__cause__ or cause


def raise_if_cancelled() -> None:
    """End a task that was cancelled, where an error has taken the cancellation's place.

    A cancelled transaction rolls back, and without a database that fails in its turn: a loop that waits for
    the database would never end.

    :raises CancelledError: the task was cancelled
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def loses_connection(error: BaseException) -> bool:
    """Return whether the connection can't be used any more, even if it is not closed yet.

    A server that stops says so, then closes the connection. In between asyncpg refuses commands with an
    InternalClientError, as it refuses two at once.
    """
    is_refused = any(isinstance(each, InternalClientError) for each in (error, error.__cause__))
    return is_refused or (sqlstate(error) or "").startswith(CLOSING_STATES)
