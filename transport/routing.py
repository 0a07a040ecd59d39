"""How a path finds its route: under /api/v1 too, HEAD as GET, numbers that a row can have."""

import re
from contextlib import suppress

from sanic.exceptions import MethodNotAllowed, NotFound
from sanic.router import Router

from api.limits import MAX_INTEGER
from transport.sanic_internals import PrefixRouter

PREFIX = "/api/v1"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
IDENTIFIER = re.compile("[1-9][0-9]{0,18}")


def make_router() -> Router:
    """Make a router that serves every path under /api/v1 too, and HEAD where GET is."""
    router = PrefixRouter(PREFIX)
    router.register_pattern("id", parse_identifier, IDENTIFIER)
    return router


def allowed_methods(router: Router, path: str) -> list[str]:
    """List the methods that a path has a route for."""
    methods = []
    for method in METHODS:
        with suppress(NotFound, MethodNotAllowed):
            router.get(path, method, None)
            methods.append(method)
    return methods


def parse_identifier(text: str) -> int:
    """Parse the number of a path parameter such as `<task_id:id>`.

    :raises ValueError: no row can have this number
    """
    if not IDENTIFIER.fullmatch(text) or (number := int(text)) > MAX_INTEGER:
        raise ValueError(text)
    return number
