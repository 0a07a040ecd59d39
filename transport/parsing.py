"""Reads what a client sent: query strings, JSON bodies, and what headers say of a body."""

from typing import Any
from urllib.parse import parse_qsl

import orjson
from marshmallow import Schema
from sanic.exceptions import BadRequest

from api.limits import MAX_PARAMETERS
from service.errors import Invalid
from transport.errors import BadJson, UnsupportedMediaType
from transport.request import Request

MAX_SIZE_DIGITS = 19  # of a Content-Length: more than a row can hold
BOM = b"\xef\xbb\xbf"  # a byte order mark, which some programs write before UTF-8


def query(request: Request, schema: Schema) -> dict[str, Any]:
    """Load the query string by a schema of text fields.

    :raises ValidationError: a parameter is unknown or wrong
    :raises Invalid: a parameter is named twice
    """
    try:
        pairs = parse_qsl(
            request.query_string, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS
        )
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest("the query string is not UTF-8, or has too many parameters") from None
    repeatable: frozenset[str] = getattr(schema, "repeatable", frozenset())
    parameters: dict[str, Any] = dict(pairs)
    parameters |= {
        name: [value for key, value in pairs if key == name] for name in repeatable & parameters.keys()
    }
    names = [name for name, _ in pairs]
    repeated = sorted({name for name in names if names.count(name) > 1} - repeatable)
    if repeated:
        raise Invalid(
            f"{', '.join(repeated)}: given twice",
            errors=[(f"/{name}", "is given twice") for name in repeated],
        )
    values: dict[str, Any] = schema.load(parameters)
    return values


def body(request: Request, schema: Schema) -> Any:
    """Load the JSON body by a schema.

    :raises ValidationError: a field is unknown or wrong
    """
    return schema.load(json_body(request))


def optional_body(request: Request, schema: Schema) -> Any:
    """Load the JSON body by a schema; without a body, an empty object.

    :raises ValidationError: a field is unknown or wrong
    """
    return body(request, schema) if request.body else schema.load({})


def json_body(request: Request) -> Any:
    """Parse the JSON body. Whole numbers beyond 64 bits become floats.

    :raises UnsupportedMediaType: the Content-Type is not that of JSON
    :raises BadJson: the body is not JSON
    """
    require_media_type(request, "application/json")
    try:
        return orjson.loads(request.body.removeprefix(BOM))
    except orjson.JSONDecodeError as error:
        raise BadJson(f"the body is not JSON: {error}") from None


def require_media_type(request: Request, *accepted: str) -> str:
    """Return the body's media type, in lower case and without parameters.

    :raises UnsupportedMediaType: it is none of those accepted
    """
    media_type: str = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type not in accepted:
        sent = f"not {media_type}" if media_type else "but the Content-Type is missing"
        raise UnsupportedMediaType(f"the body must be {' or '.join(accepted)}, {sent}")
    return media_type


def declared_size(request: Request) -> int | None:
    """Return the Content-Length in bytes, None if there is none or it is not a possible size."""
    header = request.headers.get("content-length", "")
    is_size = header.isascii() and header.isdecimal() and len(header) < MAX_SIZE_DIGITS
    return int(header) if is_size else None


def is_gzipped(request: Request) -> bool:
    """Return whether the Content-Encoding is gzip.

    :raises UnsupportedMediaType: it is another encoding
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise UnsupportedMediaType(f"Content-Encoding {encoding} is not taken here")
    return encoding in ("gzip", "x-gzip")
