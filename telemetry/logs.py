"""Logs: one JSON object a line, through structlog, for our events and those of libraries."""

import logging
import re
import sys
import time
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

from telemetry.printable import printable, printable_json, printable_lines

HIDDEN = "hidden"
REPORTED = "trawl_reported"
FREQUENT_EVENTS = frozenset({"request"})
# Metrics show a dependency that is away; a report for each request would be too many.
NOT_REPORTED = frozenset({"dependency_away"})
SECRET_TEXT = re.compile(
    r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a token of ours
    r"|\btrawl_[\w-]{40,}"  # an API key
    r"|(?<=://)[^/\s@]+:[^/\s@]+(?=@)"  # user:password in a URL
    r"|(?<=Bearer )\S+"
    r"""|(?i:(?<=password[=:'" ])|(?<=secret[=:'" ]))['" =:]*[^\s'",;]+"""
    r"""|(?i:(?<=_token[=:'"])|(?<=totp[=:'"])|(?<=recovery_code[=:'"]))['" =:]*[^\s'",;]+"""
)
SECRET_FIELDS = frozenset(
    {
        "password",
        "current_password",
        "token",
        "access_token",
        "refresh_token",
        "totp",
        "recovery_code",
        "recovery_codes",
        "otpauth",
        "authorization",
        "key",
        "secret",
    }
)

JSON_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z
PERIOD = 60.0  # seconds between two lines of a periodic warning

TIME = structlog.processors.TimeStamper(fmt="iso", utc=True, key="time")

Reporter = Callable[[BaseException, Mapping[str, Any]], None]


@dataclass(slots=True)
class _State:
    reporter: Reporter | None = None
    request_lines: structlog.WriteLogger | None = None  # where they are written as JSON


_state = _State()


def configure_logging(level: str, log_format: Literal["json", "console"]) -> None:
    """Write all logs, those of the standard library too, to standard error.

    `json` writes one object a line, `console` text, which is coloured on a terminal.
    """
    console = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        TIME,
        report_error,
        hide_secret_fields,
    ]
    renderers: list[Processor] = (
        [show_controls, console]
        if log_format == "console"
        else [structlog.processors.JSONRenderer(serializer=to_json)]
    )
    final: list[Processor] = [structlog.processors.format_exc_info, scrub, *renderers]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    is_written = log_format == "json" and logging.getLevelNamesMapping()[level] <= logging.INFO
    _state.request_lines = structlog.WriteLogger(sys.stderr) if is_written else None
    # Our own events bypass the standard library, which would double the cost of each.
    structlog.configure(
        processors=[*shared, *final],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def hide_secret_fields(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of fields that are named like a secret."""
    for name in event.keys() & SECRET_FIELDS:
        event[name] = HIDDEN
    return event


def scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace what looks like a secret in any text of an event.

    Requests are spared for speed: their fields hold no free text, which comes from exceptions and libraries.
    """
    if event.get("level") in ("debug", "info") and event["event"] in FREQUENT_EVENTS:
        return event
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = SECRET_TEXT.sub(HIDDEN, value)
    return event


def show_controls(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters, which a terminal would obey; an exception keeps its lines."""
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = printable_lines(value) if name == "exception" else printable(value)
    return event


def report_error(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hand the exception of an error event to the reporter of `set_error_reporter`, once."""
    exc_info = event.get("exc_info")
    if _state.reporter is not None and exc_info and event["event"] not in NOT_REPORTED:
        error = exc_info[1] if isinstance(exc_info, tuple) else exc_info
        error = sys.exc_info()[1] if error is True else error
        severe = event.get("level") in ("error", "critical")
        if isinstance(error, BaseException) and severe and is_first_report(error):
            _state.reporter(error, {name: event.get(name) for name in ("event", "request_id", "user_id")})
    return event


def is_first_report(error: BaseException) -> bool:
    """Mark an exception as reported. False if it was: several places may log the same one."""
    if getattr(error, REPORTED, False):
        return False
    with suppress(AttributeError):  # of a class with slots
        setattr(error, REPORTED, True)
    return True


class OncePerPeriod:
    """Lets something through at once, then at most once a minute in each worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next = float("-inf")

    def is_due(self) -> bool:
        """Return whether it is time; the next minute begins then."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + PERIOD
        return True


class PeriodicWarning:
    """An error that every request may meet: logged at once, then at most once a minute by each worker."""

    def __init__(self, event: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._event, self._period = event, OncePerPeriod(clock)
        self._count = 0

    def log(self, **fields: Any) -> None:
        """Log it with the number of times since the last line, if it is time."""
        self._count += 1
        if self._period.is_due():
            structlog.get_logger("trawl.errors").error(self._event, times=self._count, **fields)
            self._count = 0


def set_error_reporter(reporter: Reporter | None) -> None:
    """Call `reporter` with each unexpected error, besides the log; None stops it."""
    _state.reporter = reporter


def write_request_line(fields: Mapping[str, Any]) -> None:
    """Log a request that has ended.

    As JSON it is written at once: its fields are known to hold neither an error nor a secret, and the
    processors would cost four times as much as all the rest.
    """
    if _state.request_lines is None:
        structlog.get_logger("trawl.http").info("request", **fields)
    else:
        line = {**fields, "event": "request", "level": "info", "time": datetime.now(UTC)}
        _state.request_lines.msg(to_json(line))


def json_line(event: str, *, level: str = "info", **fields: Any) -> str:
    """Format an event as the JSON log does, for what is printed elsewhere."""
    line: MutableMapping[str, Any] = {**fields, "event": event, "level": level}
    return to_json(TIME(None, level, line))


def to_json(event: Any, **_: Any) -> str:
    line = orjson.dumps(event, default=str, option=JSON_OPTIONS).decode(errors="replace")
    return printable_json(line)
