"""What the router knows of a route, as the document needs it."""

import inspect
import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sanic_routing.route import Route

from api.fields import MAX_INTEGER
from transport.operations import Operation, declared

PREFIX = "/api/v1"
PARAMETER = re.compile(r"<(\w+)(?::([^>]+))?>")
PATTERNS: dict[str, dict[str, Any]] = {
    "id": {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER},
    "uuid": {"type": "string", "format": "uuid"},
    "int": {"type": "integer"},
}
NOTHING_DECLARED = Operation(answers={})


@dataclass(frozen=True, slots=True)
class RouteFacts:
    """One method of one path."""

    method: str  # in lower case
    path: str  # with {parameters}, under /api/v1
    name: str
    tag: str
    public: bool
    admin: bool
    scope: str | None
    limit: str
    gzip: bool
    parameters: dict[str, dict[str, Any]]  # JSON Schemas by name
    description: str
    tag_description: str
    declared: bool
    operation: Operation

    @property
    def is_tagged_get(self) -> bool:
        """Whether it answers 304."""
        return self.operation.etag and self.method == "get"

    @property
    def has_body(self) -> bool:
        """Whether a body is read, though perhaps for nothing."""
        return self.method in ("post", "put", "patch", "delete")


def route_facts(routes: Iterable[Route]) -> list[RouteFacts]:
    """The operations of a router, by their paths. None has HEAD: the router takes it where GET is."""
    facts = [facts_of(route, method) for route in routes for method in route.methods]
    return sorted(facts, key=lambda each: (each.path, each.method))


def facts_of(route: Route, method: str) -> RouteFacts:
    ctx = route.ctx
    operation = declared(route.handler)
    tag, name = route.name.split(".")[-2:]
    parameters = {
        found[1]: {**PATTERNS.get(found[2] or "str", {"type": "string"})}
        for found in PARAMETER.finditer(route.path)
    }
    if operation is not None:
        parameters |= {parameter: dict(schema) for parameter, schema in operation.path.items()}
    return RouteFacts(
        method=method.lower(),
        path=f"{PREFIX}/" + PARAMETER.sub(r"{\1}", route.path),
        name=name,
        tag=tag,
        public=getattr(ctx, "public", False),
        admin=getattr(ctx, "admin", False),
        scope=getattr(ctx, "scope", None),
        limit=getattr(ctx, "limit", "default"),
        gzip=getattr(ctx, "gzip", False),
        parameters=parameters,
        description=inspect.cleandoc(route.handler.__doc__ or ""),
        tag_description=(sys.modules[route.handler.__module__].__doc__ or "").strip(),
        declared=operation is not None,
        operation=operation or NOTHING_DECLARED,
    )
