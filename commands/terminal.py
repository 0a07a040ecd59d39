"""What all commands share: settings, logs, and how success and failure are printed."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import typer
from marshmallow import ValidationError
from maxminddb import InvalidDatabaseError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from config import Settings, SettingsError, chosen_log_format, read_settings
from db.unusable import DatabaseUnusable
from embedded import EmbeddedError
from server.errors import ServerError
from service.errors import TrawlError
from service.logs.url_rules import RulesError
from telemetry.logs import configure_logging, json_line
from telemetry.printable import printable

MENDABLE = (
    SettingsError,
    DatabaseUnusable,
    EmbeddedError,
    ServerError,
    TrawlError,
    RulesError,
    ValidationError,
    InvalidDatabaseError,
    OSError,
    SQLAlchemyError,
)
# Text of a log may hold markup too.
out = Console(markup=False, highlight=False, emoji=False)
err = Console(stderr=True, markup=False, highlight=False, emoji=False)


def say(text: str, *, console: Console = out, style: str | None = None) -> None:
    """Print a line, whose control characters are shown."""
    console.print(printable(text), style=style, soft_wrap=True)


def say_above_bar(text: str) -> None:
    """Print a line of the error output above a progress bar, which soft wrapping would double."""
    err.print(printable(text), soft_wrap=not err.is_terminal)


@contextmanager
def one_line_errors(*, as_log: bool = False) -> Iterator[None]:
    """Print an error that an operator can mend in one line, and exit with 1.

    :param as_log: print it as a line of the log where that is JSON, for programs that read the log
    """
    try:
        yield
    except MENDABLE as error:
        fail(describe_error(error), as_log=as_log)


@contextmanager
def interruption_message(text: str) -> Iterator[None]:
    """Print a line and leave in order on Ctrl-C or SIGTERM; the exit code is 128 and the signal's number."""

    def stop(number: int, _frame: object) -> None:
        raise Interrupted(number)

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    except Interrupted as error:
        say(f"trawl: {text}", console=err, style="red")
        raise typer.Exit(128 + error.number) from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Interrupted(BaseException):
    """A signal ends the command."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def describe_error(error: Exception) -> str:
    """Describe one of MENDABLE in a line."""
    if isinstance(error, ValidationError):
        messages = error.messages
        return str(messages) if isinstance(messages, list) else join_messages(messages)
    if isinstance(error, InvalidDatabaseError):
        return f"GEOIP_PATH must name an .mmdb file: {str(error).splitlines()[0]}"
    if isinstance(error, OSError) and error.filename is not None and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, SQLAlchemyError):
        return f"the database refuses: {str(getattr(error, 'orig', None) or error).splitlines()[0]}"
    return next(iter(str(error).splitlines()), type(error).__name__)


def join_messages(messages: dict[str, list[str]]) -> str:
    """Join the messages of a validation in one line: `a is wrong; b is missing and b is short`."""
    return "; ".join(f"{name} {' and '.join(texts)}" for name, texts in sorted(messages.items()))


def fail(reason: str, *, as_log: bool = False) -> None:
    """Print why the command fails, and exit with 1.

    :raises typer.Exit: always
    """
    if as_log and log_format(chosen_log_format()) == "json":
        say(json_line(reason, level="error"), console=err)
    else:
        say(f"trawl: {reason}", console=err, style="red")
    raise typer.Exit(1)


def load_settings(*, quiet: bool = True, **options: str | None) -> Settings:
    """Read the settings and configure the logs; a short command (`quiet`) logs warnings and errors only.

    :param options: settings of the command line by name, which go before the environment
    :raises SettingsError: a setting is wrong
    """
    overrides = {name: value for name, value in options.items() if value is not None}
    settings = read_settings(os.environ | overrides)
    level = "WARNING" if quiet else settings.log_level
    configure_logging("DEBUG" if settings.debug else level, log_format(settings.log_format))
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return settings


def log_format(chosen: str | None) -> Literal["json", "console"]:
    """Return the chosen LOG_FORMAT; if there is none, console on a terminal, else json."""
    default = "console" if sys.stderr.isatty() else "json"
    return "console" if (chosen or default) == "console" else "json"


def announce(settings: Settings, text: str, *, url: str) -> None:
    """Print what a start says of a URL: plain text on a console, else one JSON object as in the log."""
    say(json_line(text, url=url) if log_format(settings.log_format) == "json" else text)
