"""The commands of an operator: openapi, doctor, backup, restore."""

import sys

import orjson

from composition import VERSION
from transport.app import all_routes


def openapi() -> None:
    """Print the OpenAPI document."""
    from transport.openapi.document import make_document  # noqa: PLC0415 - what serving does not start with

    document = make_document(all_routes(), version=VERSION)
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
