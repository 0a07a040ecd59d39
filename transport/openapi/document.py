"""The OpenAPI document, made from the routes and the schemas in use."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from sanic_routing.route import Route

from api.openapi import OPENAPI_VERSION, SchemaDocument
from api.problems import ProblemResponse
from service.security.rate_limits import WINDOW
from transport.openapi.content import media_types
from transport.openapi.problems import LIMIT_HEADERS, problem_codes, problem_response
from transport.openapi.routes import PREFIX, RouteFacts, route_facts
from transport.operations import Page

Json = dict[str, Any]

DESCRIPTION = f"""\
A web shop's access log and its live visits, turned into answers; and its users' accounts, tasks and films.

Every path also works without `{PREFIX}`. `HEAD` works where `GET` does, `OPTIONS` tells a path's methods.
Times are RFC 3339: out in UTC, in with any offset, or none for UTC. Unknown fields are refused.
Lists answer `items` and `next`; ask again with `cursor` set to `next` until that is null.
Whatever goes wrong is an `application/problem+json` with a stable `code`.
"""
SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer` and a token of `POST /login`, or an API key",
    },
    "token": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "the same without the word `Bearer`",
    },
}
TEXT: Json = {"type": "string"}
HEADERS: dict[str, Json] = {
    "X-Request-ID": {
        "description": "the request's own, or a new one; the log names it too",
        "required": True,
        "schema": TEXT,
    },
    "RateLimit-Policy": {
        "description": f"requests (q) in a window of {WINDOW} seconds (w); none where the limit is off",
        "schema": TEXT,
        "example": f'"default";q=100;w={WINDOW}',
    },
    "RateLimit": {
        "description": "requests left (r), and seconds until there are more (t)",
        "schema": TEXT,
        "example": '"default";r=50;t=30',
    },
    "Retry-After": {"description": "seconds", "schema": {"type": "integer", "minimum": 0}},
    "WWW-Authenticate": {"schema": TEXT, "example": "Bearer"},
    "Location": {
        "description": "where it is",
        "required": True,
        "schema": TEXT,
    },
    "Link": {"description": "the next page, if there is one", "schema": TEXT},
    "ETag": {"description": "the version of the answer", "required": True, "schema": TEXT},
}


def make_document(routes: Iterable[Route], *, version: str) -> Json:
    """The document of these routes, as plain JSON values."""
    facts = route_facts(routes)
    schemas = SchemaDocument()
    schemas.reference(ProblemResponse)
    same_names = Counter(name for _, name in {(fact.path + fact.method, fact.name) for fact in facts})
    shared: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for fact in facts:
        unique = fact.name if same_names[fact.name] == 1 else f"{fact.tag}_{fact.name}"
        paths.setdefault(fact.path, {})[fact.method] = operation_of(fact, unique, schemas, shared)
    tags = {fact.tag: fact.tag_description for fact in facts}
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Trawl",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag, "description": text} for tag, text in sorted(tags.items())],
        "paths": paths,
        "components": {
            "schemas": schemas.schemas,
            "responses": dict(sorted(shared.items())),
            "headers": HEADERS,
            "securitySchemes": SECURITY,
        },
    }


def operation_of(fact: RouteFacts, unique: str, schemas: SchemaDocument, shared: dict[str, Json]) -> Json:
    told: Json = {
        "tags": [fact.tag],
        "operationId": unique,
        "summary": fact.operation.summary or fact.name.replace("_", " ").capitalize(),
        "description": describe(fact),
        "security": [] if fact.public else [{"bearer": []}, {"token": []}],
        "parameters": parameters_of(fact, schemas),
    }
    if fact.operation.body is not None:
        told["requestBody"] = {
            "required": True,
            "content": media_types(schemas, fact.operation.body),
        }
    told["responses"] = {
        **{str(status): answer_of(fact, status, schemas) for status in sorted(fact.operation.answers)},
        **({"304": not_modified(fact)} if fact.is_tagged_get else {}),
        **problems_of(fact, shared),
    }
    return told


def describe(fact: RouteFacts) -> str:
    """Who may call it and how often, and what its handler says."""
    if fact.public:
        who = "Public."
    elif fact.scope:
        who = f"For signed-in users, and API keys with the scope `{fact.scope}`."
    else:
        who = f"For {'admins' if fact.admin else 'signed-in users'}, with a token; API keys are not taken."
    often = {
        "none": "Not limited in rate.",
        "ingest": "Limited to INGEST_RATE_LIMIT_PER_MINUTE.",
    }.get(fact.limit, "Limited to RATE_LIMIT_PER_MINUTE.")
    return "\n\n".join(filter(None, (fact.description, f"{who} {often}")))


def parameters_of(fact: RouteFacts, schemas: SchemaDocument) -> list[Json]:
    found = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema,
            "example": schemas.example(schema, name),
        }
        for name, schema in fact.parameters.items()
    ]
    found += schemas.parameters(fact.operation.query)
    found += [
        {"name": f"{prefix}*", "in": "query", "description": text, "schema": TEXT}
        for prefix, text in fact.operation.prefixes.items()
    ]
    if fact.is_tagged_get:
        found.append(header("If-None-Match", "an ETag; 304 if it is still the one"))
    if fact.operation.if_match:
        found.append(header("If-Match", "an ETag; 412 if it is no longer the one"))
    if fact.gzip:
        found.append(header("Content-Encoding", "the body may be packed", enum=["gzip", "identity"]))
    return found


def header(name: str, description: str, **schema: Any) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": {**TEXT, **schema}}


def answer_of(fact: RouteFacts, status: int, schemas: SchemaDocument) -> Json:
    shape = fact.operation.answers[status]
    names = ["X-Request-ID", *(LIMIT_HEADERS if fact.limit != "none" else ())]
    names += ["Location"] if status in (201, 202) else []
    names += ["Link"] if isinstance(shape, Page) else []
    names += ["ETag"] if fact.operation.etag and status in (200, 201) else []
    described = {200: "Done", 201: "Made", 202: "It goes on", 204: "Done; no body"}
    return {
        "description": described.get(status, "See the body"),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": media_types(schemas, shape),
    }


def not_modified(fact: RouteFacts) -> Json:
    names = ["X-Request-ID", "ETag", *(LIMIT_HEADERS if fact.limit != "none" else ())]
    return {
        "description": "Not changed since the ETag of If-None-Match",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }


def problems_of(fact: RouteFacts, shared: dict[str, Json]) -> Json:
    """The problem responses: shared ones, unless the route has codes of its own for a status."""
    found: Json = {}
    for status, codes in problem_codes(fact).items():
        if fact.operation.problems.get(status):
            found[str(status)] = problem_response(status, codes)
        else:
            name = f"{status}-{codes[-1]}"
            shared[name] = problem_response(status, codes)
            found[str(status)] = {"$ref": f"#/components/responses/{name}"}
    shared["500"] = problem_response(500, ("internal_error",))
    return {**found, "default": {"$ref": "#/components/responses/500"}}
