"""Declares what a handler takes and answers, for the OpenAPI document.

`@operation(...)` stands right above the handler. The path and its parameters, who may call it, and the
problems of every route of its kind follow from the route itself; transport/openapi/ puts all together.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from marshmallow import Schema

JSON = "application/json"
# The codes of a 403 where a stolen session must not be enough.
REAUTHENTICATION = ("bad_credentials", "reauthentication_needed")


@dataclass(frozen=True, slots=True)
class Page:
    """`{"items": […], "next": …}`. `next` is a cursor unless it has a JSON Schema of its own."""

    item: type[Schema]
    next: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})


@dataclass(frozen=True, slots=True)
class Items:
    """`{"items": […], "next": null}`: a list of one page."""

    item: type[Schema]


@dataclass(frozen=True, slots=True)
class Array:
    """A bare list of 1 to MAX_BATCH objects of the schema."""

    item: type[Schema]


@dataclass(frozen=True, slots=True)
class Lines:
    """NDJSON: one object of the schema a line."""

    item: type[Schema]


@dataclass(frozen=True, slots=True)
class Events:
    """Server-sent events: one object of the schema each."""

    item: type[Schema]


@dataclass(frozen=True, slots=True)
class Text:
    """Text of some other format, such as CSV or SVG."""

    example: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Binary:
    """Bytes of any kind, with an example where text is one."""

    description: str
    example: str | None = None


@dataclass(frozen=True, slots=True)
class Raw:
    """JSON that no schema of ours describes, with its JSON Schema."""

    schema: Mapping[str, Any]
    example: Any = None


OneOf = tuple[type[Schema] | Array, ...]
Shape = type[Schema] | OneOf | Page | Items | Array | Lines | Events | Text | Binary | Raw
# A shape alone is JSON; a mapping has shapes by media type; None is not a body.
Content = Shape | Mapping[str, Shape] | None


@dataclass(frozen=True, slots=True)
class Operation:
    """What a handler takes and answers; `operation` explains each."""

    responses: Mapping[int, Content]
    query: tuple[type[Schema], ...] = ()
    body: Content = None
    problems: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    path: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    etag: bool = False
    if_match: bool = False
    is_body_optional: bool = False


Handler = TypeVar("Handler", bound=Callable[..., Any])
_operations: dict[Callable[..., Any], Operation] = {}


def operation(
    *,
    responses: Mapping[int, Content],
    query: type[Schema] | tuple[type[Schema], ...] = (),
    body: Content = None,
    problems: Mapping[int, str | tuple[str, ...]] | None = None,
    path: Mapping[str, Mapping[str, Any]] | None = None,
    etag: bool = False,
    if_match: bool = False,
    is_body_optional: bool = False,
) -> Callable[[Handler], Handler]:
    """Declare what a handler takes and answers.

    :param responses: by status: a response schema, `Page(schema)`, a tuple of schemas of which it is one,
        None for no body, or a mapping of media types to these. 201 and 202 with a body have a Location.
    :param query: the schema of the query string; several, where the path decides
    :param body: the schema of a JSON body, or a mapping of media types
    :param problems: codes by status, beyond those of every such route: `{409: "login_taken"}`
    :param path: JSON Schemas of path parameters whose pattern says too little
    :param etag: it answers with an ETag; a GET also 304 to If-None-Match
    :param if_match: it takes If-Match, and answers 412
    :param is_body_optional: it may be left out
    """

    def declare(handler: Handler) -> Handler:
        _operations[handler] = Operation(
            responses=responses,
            query=query if isinstance(query, tuple) else (query,),
            body=body,
            problems={
                status: (codes,) if isinstance(codes, str) else codes
                for status, codes in (problems or {}).items()
            },
            path=path or {},
            etag=etag,
            if_match=if_match,
            is_body_optional=is_body_optional,
        )
        return handler

    return declare


def find_operation(handler: Callable[..., Any]) -> Operation | None:
    return _operations.get(handler)
