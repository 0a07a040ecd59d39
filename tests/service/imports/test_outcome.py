"""How an import ends, by what stopped it and by its mode."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError

from service.errors import TooLarge
from service.imports.outcome import (
    BROKEN_OFF,
    INTERRUPTED,
    LeaseLost,
    Mode,
    describe_failure,
    end_status,
)
from service.logs.pieces import BrokenGzip
from service.logs.source import LogSource
from service.logs.streams import PipedLog

DATABASE_AWAY = OperationalError("COMMIT", {}, Exception("server closed the connection"))
DENIED = asyncpg.InsufficientPrivilegeError("permission denied for table visit\nmore")
WRAPPED = ProgrammingError("INSERT", {}, DENIED)
FULL = asyncpg.DiskFullError("could not extend file")
BAD_VALUE = asyncpg.DataError("invalid input for query argument $1: 'secret'")
BAD_TEXT = asyncpg.InvalidTextRepresentationError("invalid input syntax for type inet: 'secret'")


@pytest.mark.parametrize(
    ("error", "in_import", "in_resume", "in_follow"),
    [
        (None, "done", "done", "done"),
        (LeaseLost(), None, None, None),
        (asyncio.CancelledError(), "failed", None, "done"),
        (DATABASE_AWAY, "failed", None, "failed"),
        (ConnectionResetError(), "failed", None, "failed"),
        (asyncpg.InterfaceError("connection is closed"), "failed", None, "failed"),
        (FULL, "failed", None, "failed"),
        (DENIED, "failed", "failed", "failed"),
        (WRAPPED, "failed", "failed", "failed"),
        (BAD_VALUE, "failed", "failed", "failed"),
        (BAD_TEXT, "failed", "failed", "failed"),
        (TimeoutError(), "failed", None, "failed"),
        (KeyboardInterrupt(), "failed", "failed", "failed"),
        (PermissionError(), "failed", "failed", "failed"),
        (BrokenGzip("cut off"), "failed", "failed", "failed"),
        (TooLarge("the upload"), "failed", "failed", "failed"),
        (ValueError("a bug"), "failed", "failed", "failed"),
    ],
)
def test_the_status_follows_from_the_error_and_the_mode(
    error: BaseException | None, in_import: str | None, in_resume: str | None, in_follow: str | None
) -> None:
    modes: tuple[Mode, ...] = ("import", "resume", "follow")
    assert [end_status(error, mode) for mode in modes] == [in_import, in_resume, in_follow]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (asyncio.CancelledError(), INTERRUPTED),
        (KeyboardInterrupt(), INTERRUPTED),
        (TooLarge("the upload unpacks to more than 200 times its size"), "the upload unpacks to more"),
        (BrokenGzip("the gzip data is broken or cut off"), "the gzip data is broken or cut off"),
        (PermissionError(13, "Permission denied", "/srv/secret"), "the log can't be read: Permission denied"),
        (ValueError("/srv/secret"), "an unexpected error, which the server's log tells; interrupted;"),
        (DATABASE_AWAY, "the database went away: Exception; interrupted;"),
        (
            ConnectionRefusedError(111, "Connect call failed ('/srv/secret', 5432)"),
            "the database went away: Conn",
        ),
        (DENIED, "the database refuses it: permission denied for table visit (42501); interrupted;"),
        (WRAPPED, "the database refuses it: permission denied for table visit (42501); interrupted;"),
        (BAD_VALUE, "the database refuses it: DataError (22000); interrupted;"),
        (BAD_TEXT, "the database refuses it: InvalidTextRepresentationError (22P02); interrupted;"),
    ],
)
def test_a_failure_is_described_without_the_machines_insides(error: BaseException, message: str) -> None:
    description = describe_failure(error)
    assert description.startswith(message)
    assert "secret" not in description


def test_only_a_file_can_be_imported_on() -> None:
    file, stream = LogSource.of_file(Path("logs.txt")), LogSource.of_stream("-", PipedLog(0))
    assert describe_failure(asyncio.CancelledError(), file) == INTERRUPTED
    assert describe_failure(asyncio.CancelledError(), stream) == BROKEN_OFF
