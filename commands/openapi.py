"""`main.py openapi`."""

import sys

import orjson

from transport.app import all_routes
from transport.openapi.document import make_document
from version import VERSION


def print_document() -> None:
    """Print the OpenAPI document as indented JSON."""
    document = make_document(all_routes(), version=VERSION)
    sys.stdout.buffer.write(orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
