"""Checks every request and response of the tests against the OpenAPI document."""

import json
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs
from yarl import URL

from tests.support.http_server import make_unserved_app
from transport.openapi.document import make_document
from transport.routing import PREFIX

Json = Any
# Routes that answer 200 with a verdict on each item: what succeeds may hold items that do not fit.
JUDGING = {"create_events", "record_visits"}
# Statuses of the router and the server, not of an operation.
NOT_OF_OPERATIONS = {405}

mismatches: list[str] = []


@cache
def document() -> Json:
    return make_document(make_unserved_app().router.routes, version="test")


@cache
def closed_components() -> Json:
    """Return the components, with objects closed to unknown members: a response names all of its members."""
    components = json.loads(json.dumps(document()["components"]))
    for schema in components["schemas"].values():
        schema.setdefault("additionalProperties", False)
    return components


@cache
def templates() -> list[tuple[re.Pattern[str], str]]:
    """List paths with their patterns, those without parameters first."""
    paths = sorted(document()["paths"], key=lambda path: ("{" in path, path))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def validator(pointer: str) -> Any:
    """Make the validator of a schema of the document. `pointer` is its path there, with `|` between keys."""
    schema: Json = document()
    for part in pointer.split("|"):
        schema = schema[part]
    whole = {**schema, "components": closed_components()}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def find_path(url: URL) -> str | None:
    """Find the path of the document that a URL matches."""
    full = url.raw_path if url.raw_path.startswith(f"{PREFIX}/") else f"{PREFIX}{url.raw_path}"
    return next((path for pattern, path in templates() if pattern.fullmatch(full)), None)


def find_operation(method: str, url: URL) -> tuple[str, str, Json] | None:
    """Find the operation of a request: its path and method as the document has them, and itself."""
    path = find_path(url)
    name = "get" if method == "HEAD" else method.lower()
    if path is None or name not in document()["paths"][path]:
        return None
    operation = document()["paths"][path][name]
    declares_success = any(status != "default" and int(status) < 400 for status in operation["responses"])
    return (path, name, operation) if declares_success else None


def note_mismatches(
    method: str,
    url: URL,
    options: Mapping[str, Any],
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Check a request and its response. A mismatch fails the test at its end, not between its requests."""
    try:
        check_response(method, url, status, headers, body)
        check_request(method, url, status, options)
    except AssertionError as error:
        mismatches.append(str(error))


def check_response(method: str, url: URL, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Assert that the document has such a response."""
    match = find_operation(method, url)
    if match is None or status in NOT_OF_OPERATIONS:
        return
    if method == "HEAD" and status == 204:  # a GET would do something
        return
    path, name, operation = match
    response_name = f"{method} {url.path} answered {status}"
    if str(status) not in operation["responses"]:
        assert status >= 500, f"{response_name}, which the document does not have"
    check_declared(
        response_name, (path, name), status=status, headers=headers, body=None if method == "HEAD" else body
    )


def check_declared(
    response_name: str,
    place: tuple[str, str],
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes | None,
) -> None:
    """Assert that a response is as the document says of its status, or of `default`.

    :param place: path and method of the operation, as the document has them
    :param body: None where it is not sent
    """
    path, name = place
    operation = document()["paths"][path][name]
    key = str(status) if str(status) in operation["responses"] else "default"
    response, pointer = operation["responses"][key], f"paths|{path}|{name}|responses|{key}"
    if "$ref" in response:
        shared = response["$ref"].rpartition("/")[2]
        response, pointer = document()["components"]["responses"][shared], f"components|responses|{shared}"
    for header in response["headers"]:
        if document()["components"]["headers"][header].get("required"):
            assert header in headers, f"{response_name} without {header}"
    if body is None or not (body or response.get("content")):
        return
    check_body(response_name, response, pointer, headers.get("Content-Type", ""), body)


def check_body(response_name: str, response: Json, pointer: str, content_type: str, body: bytes) -> None:
    kind = content_type.partition(";")[0]
    assert kind in response.get("content", {}), f"{response_name} as {kind}, which the document does not have"
    if kind == "application/x-ndjson":
        check_lines(response_name, f"{pointer}|content|{kind}|schema|x-line", body)
    if not kind.endswith("json") or kind.endswith("ndjson"):
        return
    value = json.loads(body)
    errors = [
        f"{error.instance_path}: {error.message}"
        for error in validator_of_content(pointer, kind).iter_errors(value)
    ]
    assert not errors, f"{response_name}, against the document: {errors[:3]}"
    examples = response["content"][kind].get("examples")
    if kind == "application/problem+json" and examples and value["status"] < 500:
        assert value["code"] in examples, (
            f"{response_name} with code {value['code']}; the document has {[*examples]}"
        )


def check_lines(response_name: str, pointer: str, body: bytes) -> None:
    for line in body.splitlines():
        errors = [error.message for error in validator(pointer).iter_errors(json.loads(line))]
        assert not errors, f"{response_name}, against the document: {errors[:3]}"


def validator_of_content(pointer: str, kind: str) -> Any:
    """Return the validator of a body of this media type, of the request or response at the pointer."""
    return validator(f"{pointer}|content|{kind}|schema")


def check_request(method: str, url: URL, status: int, options: Mapping[str, Any]) -> None:
    """Assert that the document has the parameters and the JSON body of a request that succeeded."""
    match = find_operation(method, url)
    if match is None or not 200 <= status < 300:
        return
    path, name, operation = match
    parameters = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    open_ended = any(each.endswith("*") for each in parameters)
    if parameters and not open_ended:
        assert set(url.query) <= parameters, f"{method} {url} succeeded; the document has {parameters}"
    judges = operation["operationId"] in JUDGING
    content = {} if judges else operation.get("requestBody", {}).get("content", {})
    for kind, option in (("application/json", "json"), ("application/x-www-form-urlencoded", "data")):
        if kind in content and isinstance(options.get(option), dict | list):
            checks = validator_of_content(f"paths|{path}|{name}|requestBody", kind).iter_errors(
                options[option]
            )
            errors = [error.message for error in checks]
            assert not errors, f"{method} {url.path} succeeded, against the document: {errors[:3]}"
