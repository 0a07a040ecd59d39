"""Collects what the router knows of each route, for the OpenAPI document."""

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sanic_routing.route import Route

from api.limits import MAX_INTEGER
from transport.heavy import heavy_kind
from transport.openapi.words import TAGS
from transport.operations import Operation, find_operation
from transport.routing import PREFIX

PARAMETER = re.compile(r"<(\w+)(?::([^>]+))?>")
PATTERNS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER},
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
}
UNDECLARED = Operation(responses={})


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """One method of one path."""

    method: str  # in lower case
    path: str  # with {parameters}, under /api/v1
    name: str
    module: str  # of the handlers
    public: bool
    admin: bool
    scope: str | None
    limit: str
    oauth: bool  # whether its problems have OAuth's members
    heavy: str | None  # the kind of work that needs a permit
    gzip: bool
    bulk: bool
    parameters: dict[str, dict[str, Any]]  # JSON Schemas by name
    description: str
    operation: Operation

    @property
    def key(self) -> str:
        """Return what names it in words.py."""
        return f"{self.method.upper()} {self.path.removeprefix(PREFIX)}"

    @property
    def tag(self) -> tuple[str, str]:
        """Return the name and the description of its group."""
        return TAGS.get(self.module, (self.module, ""))

    @property
    def is_tagged_get(self) -> bool:
        """Return whether it answers 304."""
        return self.operation.etag and self.method == "get"

    @property
    def has_body(self) -> bool:
        """Return whether a body is read, even if the handler does not use it."""
        return self.method in ("post", "put", "patch", "delete")


def route_facts(routes: Iterable[Route]) -> list[RouteFacts]:
    """List the operations of a router, by path and method.

    HEAD is none: the router takes it where GET is. OPTIONS is none: every path answers it.
    """
    facts = [facts_of(route, method) for route in routes for method in route.methods if method != "OPTIONS"]
    return sorted(facts, key=lambda each: (each.path, each.method))


def facts_of(route: Route, method: str) -> RouteFacts:
    """Collect what the document says of a method of a route: from its path, its `ctx_…` and its handler."""
    ctx = route.ctx
    operation = find_operation(route.handler) or UNDECLARED
    module, name = route.name.split(".")[-2:]
    parameters = {
        name: {**PATTERNS.get(pattern or "str", {"type": "string"})}
        for name, pattern in PARAMETER.findall(route.path)
    }
    parameters |= {parameter: dict(schema) for parameter, schema in operation.path.items()}
    return RouteFacts(
        method=method.lower(),
        path=f"{PREFIX}/" + PARAMETER.sub(r"{\1}", route.path),
        name=name,
        module=module,
        public=getattr(ctx, "public", False),
        admin=getattr(ctx, "admin", False),
        scope=getattr(ctx, "scope", None),
        limit=getattr(ctx, "limit", "default"),
        oauth=getattr(ctx, "oauth", False),
        heavy=heavy_kind(route.handler),
        gzip=getattr(ctx, "gzip", False),
        bulk=getattr(ctx, "bulk", False),
        parameters=parameters,
        description=inspect.cleandoc(route.handler.__doc__ or ""),
        operation=operation,
    )
