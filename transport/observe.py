"""Logs: structlog for ours and the libraries', one line a request."""

import logging
import sys
import time
from collections.abc import MutableMapping
from typing import Any, Literal

import orjson
import structlog
from structlog.typing import Processor

from service.metrics import observe_request
from transport.request import Request

log = structlog.get_logger("trawl.http")

SECRET_FIELDS = frozenset(
    {"password", "current_password", "token", "access_token", "authorization", "key", "secret"}
)


def configure_logging(level: str, log_format: Literal["json", "console"]) -> None:
    """Write all logs, those of the standard library too, to standard error.

    One JSON object a line, or coloured text for a person.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        hide_secrets,
    ]
    last: list[Processor] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if log_format == "console"
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(serializer=to_json)]
    )
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
    """A last net: what is named like a secret is never written."""
    for name in event.keys() & SECRET_FIELDS:
        event[name] = "hidden"
    return event


def to_json(event: Any, **_: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode(errors="replace")


def log_request(request: Request, status: int, started: float) -> None:
    """The line of a request that has ended. The route is the template, so that no identifier is in it.

    `kind` is the operation, as the OpenAPI document names it.
    """
    seconds = time.perf_counter() - started
    route = request.uri_template
    observe_request(route, request.method, status, seconds)
    log.info(
        "request",
        method=request.method,
        route=route,
        kind=request.route.name.rpartition(".")[2] if request.route else None,
        status=status,
        duration_ms=round(seconds * 1000, 2),
    )
