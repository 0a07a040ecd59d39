"""What the commands share: how they tell of success and failure, and their settings and logs."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from marshmallow import ValidationError
from maxminddb import InvalidDatabaseError
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from config import Settings, SettingsError, read_settings
from embedded import EmbeddedError
from server.supervisor import ServerError
from service.errors import TrawlError
from service.logs.url_rules import RulesError
from telemetry.logs import configure_logging

out = Console()
err = Console(stderr=True)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """What an operator can mend is told in one line, and ends with 1."""
    try:
        yield
    except (SettingsError, EmbeddedError, ServerError, TrawlError, RulesError) as error:
        fail(str(error))
    except ValidationError as error:
        fail(str(error.messages) if isinstance(error.messages, list) else in_one_line(error.messages))
    except (OSError, InvalidDatabaseError) as error:
        fail(str(error).splitlines()[0])
    except SQLAlchemyError as error:
        fail(f"the database refuses: {str(getattr(error, 'orig', None) or error).splitlines()[0]}")


def in_one_line(messages: dict[str, list[str]]) -> str:
    return "; ".join(f"{name} {' and '.join(what)}" for name, what in sorted(messages.items()))


def fail(reason: str) -> None:
    err.print(f"trawl: {reason}", style="red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(1)


def settings_and_logs(*, quiet: bool = True) -> Settings:
    """The settings, and logs as they say; a short command (`quiet`) logs only what is wrong."""
    settings = read_settings()
    log_format = settings.log_format or ("console" if sys.stderr.isatty() else "json")
    usual = "WARNING" if quiet else settings.log_level
    configure_logging("DEBUG" if settings.debug else usual, "console" if log_format == "console" else "json")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    return settings
