"""The OpenAPI document, made from the routes and the schemas in use."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from sanic_routing.route import Route

from api.limits import MAX_VIEW_BODY
from api.openapi import OPENAPI_VERSION, SchemaDocument
from api.problems import ProblemResponse, TokenProblemResponse
from service.bounds import Bounds
from service.security.rate_limits import WINDOW
from transport.openapi.content import media_types
from transport.openapi.problems import LIMIT_HEADERS, problem_codes, problem_response
from transport.openapi.routes import RouteFacts, route_facts
from transport.openapi.words import OWN_PARAMETERS, PARAMETERS, SUMMARIES
from transport.operations import Page
from transport.routing import PREFIX

Json = dict[str, Any]

DESCRIPTION = f"""\
A web shop's access log and its live visits, turned into answers; and its users' accounts, tasks and films.

Every path also works without `{PREFIX}`. `HEAD` works where `GET` does, `OPTIONS` tells a path's methods.
Times are RFC 3339: out in UTC, in with any offset, or none for UTC. Unknown fields are refused.
Lists answer `items` and `next`; ask again with `cursor` set to `next` until that is null.
Whatever goes wrong is an `application/problem+json` with a stable `code`.
"""
SECURITY: dict[str, Json] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "`Authorization: Bearer` and a token of `POST /login`, or an API key",
    },
    "oauth2": {
        "type": "oauth2",
        "description": "sign in with login and password: programs and these pages get the token themselves",
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


def make_document(routes: Iterable[Route], *, version: str, base_path: str = "") -> Json:
    """Make the document of these routes, as plain JSON values.

    :param base_path: under which a proxy shows the server
    """
    facts = route_facts(routes)
    schemas = SchemaDocument()
    schemas.reference(ProblemResponse)
    schemas.reference(TokenProblemResponse)
    name_counts = Counter(name for _, name in {(fact.path + fact.method, fact.name) for fact in facts})
    shared_problems: dict[str, Json] = {}
    paths: dict[str, Json] = {}
    for fact in facts:
        unique_name = fact.name if name_counts[fact.name] == 1 else f"{fact.module}_{fact.name}"
        operation = describe_operation(fact, unique_name, schemas, shared_problems)
        paths.setdefault(fact.path, {})[fact.method] = operation
    tags = dict(fact.tag for fact in facts)
    return {
        "openapi": OPENAPI_VERSION,
        "info": {
            "title": "Trawl",
            "version": version,
            "description": DESCRIPTION,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": base_path or "/"}],
        "tags": [{"name": tag, "description": text} for tag, text in sorted(tags.items())],
        "paths": paths,
        "components": {
            "schemas": schemas.schemas,
            "responses": dict(sorted(shared_problems.items())),
            "headers": HEADERS,
            "securitySchemes": describe_security(base_path),
        },
    }


def describe_security(base_path: str) -> Json:
    token_url = f"{base_path}{PREFIX}/token"
    password = {"tokenUrl": token_url, "refreshUrl": token_url, "scopes": {}}
    return {**SECURITY, "oauth2": {**SECURITY["oauth2"], "flows": {"password": password}}}


def describe_operation(
    fact: RouteFacts, operation_id: str, schemas: SchemaDocument, shared_problems: dict[str, Json]
) -> Json:
    """Describe one method of one path. Adds problems that many routes have to `shared_problems`."""
    operation: Json = {
        "tags": [fact.tag[0]],
        "operationId": operation_id,
        "summary": SUMMARIES.get(fact.key) or fact.name,
        "description": describe_access(fact),
        "security": [] if fact.public else [{"bearer": []}, {"oauth2": []}, {"token": []}],
        "parameters": describe_parameters(fact, schemas),
    }
    if fact.operation.body is not None:
        operation["requestBody"] = {
            "required": not fact.operation.is_body_optional,
            "content": media_types(schemas, fact.operation.body),
        }
    responses = {
        str(status): describe_response(fact, status, schemas) for status in sorted(fact.operation.responses)
    }
    not_modified = {"304": describe_not_modified(fact)} if fact.is_tagged_get else {}
    operation["responses"] = responses | not_modified | describe_problems(fact, shared_problems)
    return operation


def describe_access(fact: RouteFacts) -> str:
    """Describe who may call it and how often, after what the handler's docstring says."""
    if fact.public:
        callers = "Public."
    elif fact.scope:
        callers = f"For signed-in users, and API keys with the scope `{fact.scope}`."
    else:
        callers = (
            f"For {'admins' if fact.admin else 'signed-in users'}, with a token; API keys are not taken."
        )
    rate = {
        "none": "Not limited in rate.",
        "ingest": "Limited to INGEST_RATE_LIMIT_PER_MINUTE.",
        "collect": "An address has COLLECT_RATE_LIMIT_PER_MINUTE; what is beyond is dropped, and told so.",
    }.get(fact.limit, "Limited to RATE_LIMIT_PER_MINUTE.")
    return "\n\n".join(filter(None, (fact.description, f"{callers} {rate}", describe_bounds(fact))))


def describe_bounds(fact: RouteFacts) -> str:
    """Describe how much of it one account, or one address, may have under way."""
    bounds = Bounds()
    per_account = {"reads": bounds.account_reads, "exports": bounds.account_exports}
    texts = []
    if fact.heavy is not None:
        texts.append(f"An account has {per_account[fact.heavy]} of these {fact.heavy} at a time; more wait")
        texts.append(f"{bounds.permit_seconds:g} s, then 429 `too_many_at_once`.")
    if fact.heavy == "reads":
        texts.append(f"One takes {bounds.read_seconds:g} s at most, else 503 `too_expensive`.")
    if fact.bulk:
        texts.append(f"An account has {bounds.account_bulk_bodies} bodies over 64 KiB, of unknown size or")
        texts.append(
            f"gzipped at a time; more wait {bounds.permit_seconds:g} s, then 429 `too_many_at_once`."
        )
    if fact.bulk:
        texts.append(f"A body over 1 MiB keeps {bounds.body_rate // 1024} KiB/s on average, else 408;")
        texts.append(f"others have arrived after {bounds.body_seconds:g} s.")
    elif fact.limit == "collect" and fact.has_body:
        texts.append(f"The body is {MAX_VIEW_BODY // 1024} KiB at most.")
    elif fact.has_body:
        texts.append(f"The body is 1 MiB at most, and has arrived after {bounds.body_seconds:g} s, else 408.")
    return " ".join(texts)


def describe_parameters(fact: RouteFacts, schemas: SchemaDocument) -> list[Json]:
    parameters = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": schema,
            "example": schemas.example(schema, name),
        }
        for name, schema in fact.parameters.items()
    ]
    parameters += schemas.parameters(fact.operation.query)
    for parameter in parameters:
        if "description" not in parameter["schema"]:
            name = parameter["name"]
            parameter.setdefault(
                "description", OWN_PARAMETERS.get((fact.key, name)) or PARAMETERS.get(name, "")
            )
    if isinstance(fact.operation.body, Mapping) and len(fact.operation.body) > 1:
        # Without any parameter openapi-python-client forgets an import where it offers several bodies.
        parameters.append(header("X-Request-ID", "a name for the request, in its answer and in the log"))
    if fact.is_tagged_get:
        parameters.append(header("If-None-Match", "an ETag; 304 if it is still the one"))
    if fact.operation.if_match:
        parameters.append(header("If-Match", "an ETag; 412 if it is no longer the one"))
    if fact.gzip:
        parameters.append(header("Content-Encoding", "the body may be gzipped", enum=["gzip", "identity"]))
    return parameters


def header(name: str, description: str, **schema: Any) -> Json:
    return {"name": name, "in": "header", "description": description, "schema": {**TEXT, **schema}}


def describe_response(fact: RouteFacts, status: int, schemas: SchemaDocument) -> Json:
    shape = fact.operation.responses[status]
    names = ["X-Request-ID", *(LIMIT_HEADERS if fact.limit != "none" else ())]
    has_location = shape is not None and status in (201, 202) and fact.limit != "collect"
    names += ["Location"] if has_location else []
    shapes = shape.values() if isinstance(shape, Mapping) else (shape,)
    names += ["Link"] if any(isinstance(each, Page) for each in shapes) else []
    names += ["ETag"] if fact.operation.etag and status in (200, 201) else []
    descriptions = {200: "Done", 201: "Made", 202: "It goes on, or is taken", 204: "Done; no body"}
    return {
        "description": descriptions.get(status, "See the body"),
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
        "content": media_types(schemas, shape),
    }


def describe_not_modified(fact: RouteFacts) -> Json:
    names = ["X-Request-ID", "ETag", *(LIMIT_HEADERS if fact.limit != "none" else ())]
    return {
        "description": "Not changed since the ETag of If-None-Match",
        "headers": {name: {"$ref": f"#/components/headers/{name}"} for name in names},
    }


def describe_problems(fact: RouteFacts, shared_problems: dict[str, Json]) -> Json:
    """Describe the problem responses: shared ones, but for statuses for which the route declares codes."""
    responses: Json = {}
    for status, codes in problem_codes(fact).items():
        if fact.operation.problems.get(status) or fact.oauth:
            responses[str(status)] = problem_response(status, codes, oauth=fact.oauth)
        else:
            name = f"{status}-{'-'.join(codes)}"
            shared_problems[name] = problem_response(status, codes)
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    shared_problems["500"] = problem_response(500, ("internal_error",))
    return {**responses, "default": {"$ref": "#/components/responses/500"}}
