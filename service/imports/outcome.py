"""How an import ends: its last status, and what its row says of a failure."""

import asyncio
from typing import Literal

from db.database import DATABASE_ERRORS
from db.outages import describe, is_lasting
from service.errors import TrawlError
from service.logs.source import LogSource

INTERRUPTED = "interrupted; the next import of this file goes on from there"
REPLACED = "the file was cut or replaced before all of it was read; what it holds now is another import's"
BROKEN_OFF = "interrupted; its whole lines are kept"

# What stops a run of each mode:
#   import  fails the import: the command line's, or an upload's.
#   resume  leaves it running if it may pass, for a server to resume: the imports of servers.
#   follow  fails it too, but an order to stop is the regular end: the command line follows a log.
Mode = Literal["import", "resume", "follow"]


class LeaseLost(Exception):
    """The import is not this run's any more: it was cancelled, or another run has resumed it."""


class LogReplaced(TrawlError):
    """The import has read another file than the one that its path names now."""

    code = "log_replaced"


def end_status(error: BaseException | None, mode: Mode) -> Literal["done", "failed"] | None:
    """Return the status that an import gets at the end of a run; None if the run must not change its row."""
    match error, mode:
        case None, _:
            return "done"
        case LeaseLost(), _:
            return None
        case asyncio.CancelledError(), "follow":
            return "done"
        case asyncio.CancelledError(), "resume":
            return None
        case _, "resume" if isinstance(error, DATABASE_ERRORS) and not is_lasting(error):
            return None
        case _:
            return "failed"


def describe_failure(error: BaseException, source: LogSource | None = None) -> str:
    """Return what the row of the import says: enough to act on, and nothing of the machine's insides."""
    interrupted = INTERRUPTED if source is None or source.key is not None else BROKEN_OFF
    match error:
        case asyncio.CancelledError() | KeyboardInterrupt():
            return interrupted
        case TrawlError():
            return error.detail
        case _ if isinstance(error, DATABASE_ERRORS) and not isinstance(error, FileNotFoundError):
            state = "refuses it" if is_lasting(error) else "went away"
            return f"the database {state}: {describe(error)}; {interrupted}"
        case OSError(strerror=str(reason)):
            return f"the log can't be read: {reason}"
        case _:
            return f"an unexpected error, which the server's log tells; {interrupted}"


def describe_failed_undo(error: BaseException) -> str:
    """Return what the row of an import says whose undo an error of the database has ended."""
    return (
        f"the undo broke off: the database refuses it: {describe(error)}; undo it again once that is mended"
    )
