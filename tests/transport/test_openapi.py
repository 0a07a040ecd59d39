"""The OpenAPI document: complete, valid, and with examples that our own schemas take."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from marshmallow import Schema
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.fields import Strict
from tests.support.document_checks import document, validator
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from transport.openapi.routes import route_facts
from transport.openapi.words import OWN_PARAMETERS, PARAMETERS, SUMMARIES, TAGS
from transport.operations import find_operation

METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, methods in document()["paths"].items()
    for method, operation in methods.items()
}


def request_schemas() -> dict[str, type[Schema]]:
    schemas: list[type[Schema]] = [Strict]
    for schema in schemas:
        schemas.extend(schema.__subclasses__())
    return {schema.__name__: schema for schema in schemas}


def test_the_document_is_openapi_3_1() -> None:
    OpenAPIV31SpecValidator(document()).validate()
    assert document()["openapi"].startswith("3.1.")


def test_every_route_is_in_the_document_and_nothing_else(server: RunningApp) -> None:
    routed = {
        f"{method} /api/v1/{route.path}".replace("<", "{").replace(">", "}")
        for route in server.app.router.routes
        for method in route.methods
        if method != "OPTIONS"  # which every path answers
    }
    documented = {name.replace("{", "{").replace("}", "}") for name in OPERATIONS}
    assert {strip_patterns(name) for name in routed} == documented


def strip_patterns(name: str) -> str:
    return "/".join(part.partition(":")[0] + "}" if ":" in part else part for part in name.split("/"))


def test_every_route_declares_what_it_answers(server: RunningApp) -> None:
    routes = [route for route in server.app.router.routes if route.methods != {"OPTIONS"}]
    assert [route.name for route in routes if find_operation(route.handler) is None] == []


def test_every_operation_and_parameter_is_said_in_words_and_no_words_are_left_over() -> None:
    keys = {name.replace("/api/v1", "", 1) for name in OPERATIONS}
    assert set(SUMMARIES) == keys
    parameters = {
        (name.replace("/api/v1", "", 1), parameter["name"]): parameter
        for name, operation in OPERATIONS.items()
        for parameter in operation["parameters"]
    }
    described = [
        parameter.get("description") or parameter["schema"].get("description")
        for parameter in parameters.values()
    ]
    assert all(described)
    assert {name for _, name in parameters} >= set(PARAMETERS)
    assert set(parameters) >= set(OWN_PARAMETERS)


def test_groups_of_operations_have_names_of_their_own() -> None:
    used = {tag for operation in OPERATIONS.values() for tag in operation["tags"]}
    assert {tag["name"]: tag["description"] for tag in document()["tags"]} == dict(TAGS.values())
    assert used == {name for name, _ in TAGS.values()}


def test_operation_ids_are_told_apart() -> None:
    ids = [operation["operationId"] for operation in OPERATIONS.values()]
    assert len(set(ids)) == len(ids)


async def test_the_document_is_public_and_cached(client: Client) -> None:
    answer = await client.get("/openapi.json")
    assert answer.json == document()
    again = await client.get("/api/v1/openapi.json", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert "RateLimit" not in answer.headers


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_an_operation_tells_all_there_is(name: str, server: RunningApp) -> None:
    operation = OPERATIONS[name]
    [fact] = [
        fact for fact in route_facts(server.app.router.routes) if f"{fact.method.upper()} {fact.path}" == name
    ]
    responses = operation["responses"]
    security: list[dict[str, list[str]]] = [{"bearer": []}, {"oauth2": []}, {"token": []}]
    assert operation["security"] == ([] if fact.public else security)
    assert ("401" in responses) == (not fact.public or bool(fact.operation.problems.get(401)))
    if fact.limit == "collect":  # answers 202 whatever comes
        assert responses.keys() == {"202", "400", "default"}
        assert "RateLimit" in responses["202"]["headers"]
        return
    is_bounded = fact.has_body or fact.heavy is not None
    assert ("429" in responses) == (
        fact.limit != "none" or is_bounded or bool(fact.operation.problems.get(429))
    )
    assert {"408", "413", "429", "503"} <= responses.keys() or not fact.has_body
    if "requestBody" in operation:
        assert {"400", "413", "415", "422"} <= responses.keys()
    succeeded = [responses[status] for status in responses if status < "300"]
    assert succeeded
    if fact.limit != "none":
        assert all("RateLimit" in response["headers"] for response in succeeded)


def bodies() -> list[tuple[str, dict[str, Any]]]:
    """List the media types of all operations with their places in the document."""
    media_types = []
    for name, operation in OPERATIONS.items():
        method, path = name.split()
        base = f"paths|{path}|{method.lower()}"
        holders = {"requestBody": operation.get("requestBody", {})} | {
            f"responses|{status}": response for status, response in operation["responses"].items()
        }
        for place, holder in holders.items():
            for kind, media in holder.get("content", {}).items():
                if kind != "application/gzip":  # no text is an example of it
                    media_types.append((f"{base}|{place}|content|{kind}", media))
    return media_types


@pytest.mark.parametrize(("place", "media"), bodies(), ids=[place for place, _ in bodies()])
def test_every_body_has_an_example_that_fits(place: str, media: dict[str, Any]) -> None:
    examples = [each["value"] for each in media.get("examples", {}).values()] or [media["example"]]
    if "json" in place.rpartition("|")[2] and "ndjson" not in place:
        for example in examples:
            validator(f"{place}|schema").validate(example)


@pytest.mark.parametrize("name", sorted(set(document()["components"]["schemas"]) & request_schemas().keys()))
def test_the_example_of_a_request_is_taken_by_its_schema(name: str) -> None:
    users = [
        media["example"] for _, media in bodies() if media["schema"].get("$ref", "").endswith(f"/{name}")
    ]
    for example in users:
        request_schemas()[name]().load(json.loads(json.dumps(example)))


def test_the_checks_of_answers_would_notice_a_wrong_one() -> None:
    schema = validator("paths|/api/v1/profile|get|responses|200|content|application/json|schema")
    profile = document()["paths"]["/api/v1/profile"]["get"]["responses"]["200"]["content"]
    good = profile["application/json"]["example"]
    schema.validate(good)
    for wrong in ({**good, "id": "1"}, {**good, "shoe_size": 43}, {**good, "created_at": "yesterday"}):
        with pytest.raises(jsonschema_rs.ValidationError):
            schema.validate(wrong)


async def test_the_map_of_the_dashboard_fits_the_document(client: Client) -> None:
    assert (await client.get("/dashboard/world.json")).json["width"] > 0


def test_examples_of_what_must_lie_ahead_do_so_for_years() -> None:
    times = re.findall(r'"(?:expires_at|due_at)": "(\d{4})-', json.dumps(document()))
    assert len(times) > 5
    assert min(times) > "2030"
