"""Logs: structlog for ours and the libraries', one JSON object a line."""

import logging
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

HIDDEN = "hidden"
REPORTED = "trawl_reported"
OUR_FREQUENT_EVENTS = frozenset({"request"})
# An away dependency is told by the metrics, once a request would be too often.
NOT_REPORTED = frozenset({"dependency_away"})
SECRET_TEXT = re.compile(
    r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"  # a token of ours
    r"|\btrawl_[\w-]{40,}"  # an API key
    r"|(?<=://)[^/\s@]+:[^/\s@]+(?=@)"  # user:password in a URL
    r"|(?<=Bearer )\S+"
    r"""|(?i:(?<=password[=:'" ])|(?<=secret[=:'" ]))['" =:]*[^\s'",;]+"""
)
SECRET_FIELDS = frozenset(
    {"password", "current_password", "token", "access_token", "authorization", "key", "secret"}
)


@dataclass(slots=True)
class _Reporting:
    send: Callable[[BaseException, Mapping[str, Any]], None] | None = None


_reporting = _Reporting()


def configure_logging(level: str, log_format: Literal["json", "console"]) -> None:
    """Write all logs, those of the standard library too, to standard error.

    One JSON object a line, or coloured text for a person.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        report,
        hide_secrets,
    ]
    renderer: Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if log_format == "console"
        else structlog.processors.JSONRenderer(serializer=to_json)
    )
    last: list[Processor] = [structlog.processors.format_exc_info, scrub, renderer]
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # Ours do not take the way through the standard library, which costs each of them twice as much.
    structlog.configure(
        processors=[*shared, *last],
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )


def hide_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What is named like a secret is never written."""
    for name in event.keys() & SECRET_FIELDS:
        event[name] = HIDDEN
    return event


def scrub(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """What looks like a secret is never written, where the text is not our own.

    Our events are static names with fields. Free text comes from exceptions and from libraries alone.
    """
    if event.get("level") in ("debug", "info") and event["event"] in OUR_FREQUENT_EVENTS:
        return event
    for name, value in event.items():
        if isinstance(value, str):
            event[name] = SECRET_TEXT.sub(HIDDEN, value)
    return event


def report(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hand an unexpected error to whoever was named to `report_errors_to`."""
    error = event.get("exc_info")
    if _reporting.send is not None and error and event["event"] not in NOT_REPORTED:
        cause = error[1] if isinstance(error, tuple) else error
        cause = sys.exc_info()[1] if cause is True else cause
        if (
            isinstance(cause, BaseException)
            and event.get("level") in ("error", "critical")
            and is_news(cause)
        ):
            _reporting.send(cause, {name: event.get(name) for name in ("event", "request_id", "user_id")})
    return event


def is_news(error: BaseException) -> bool:
    """Whether this very error is reported for the first time: it may be logged on several of its ways."""
    if getattr(error, REPORTED, False):
        return False
    with suppress(AttributeError):  # of a class with slots
        setattr(error, REPORTED, True)
    return True


def report_errors_to(send: Callable[[BaseException, Mapping[str, Any]], None] | None) -> None:
    """Whoever is to be told of each unexpected error, besides the log; None for nobody."""
    _reporting.send = send


def to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode(errors="replace")
