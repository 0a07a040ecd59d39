"""Holds every request and answer of the tests to the OpenAPI document."""

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
# Answers of the router and the server, not of an operation.
OF_NO_OPERATION = {405}

complaints: list[str] = []


@cache
def document() -> Json:
    return make_document(make_unserved_app().router.routes, version="test")


@cache
def closed_components() -> Json:
    """The components, in which an object has no member that is not named: responses name all of theirs."""
    components = json.loads(json.dumps(document()["components"]))
    for schema in components["schemas"].values():
        schema.setdefault("additionalProperties", False)
    return components


@cache
def templates() -> list[tuple[re.Pattern[str], str]]:
    """Paths as patterns, those without parameters first."""
    paths = sorted(document()["paths"], key=lambda path: ("{" in path, path))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), path) for path in paths]


@cache
def validator(pointer: str) -> Any:
    """The validator of a schema of the document, named by its JSON pointer."""
    schema: Json = document()
    for part in pointer.split("|"):
        schema = schema[part]
    whole = {**schema, "components": closed_components()}
    return jsonschema_rs.Draft202012Validator(whole, validate_formats=True)


def find_path(url: URL) -> str | None:
    full = url.raw_path if url.raw_path.startswith(f"{PREFIX}/") else f"{PREFIX}{url.raw_path}"
    return next((path for pattern, path in templates() if pattern.fullmatch(full)), None)


def find_operation(method: str, url: URL) -> tuple[str, str, Json] | None:
    """The path and the method as the document has them, and the operation; None if it has none."""
    path = find_path(url)
    name = "get" if method == "HEAD" else method.lower()
    if path is None or name not in document()["paths"][path]:
        return None
    operation = document()["paths"][path][name]
    documented = any(status != "default" and int(status) < 400 for status in operation["responses"])
    return (path, name, operation) if documented else None


def note_complaints(
    method: str,
    url: URL,
    options: Mapping[str, Any],
    *,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
) -> None:
    """Check a request and its answer. What is wrong fails the test at its end, not amid other requests."""
    try:
        check_answer(method, url, status, headers, body)
        check_request(method, url, status, options)
    except AssertionError as error:
        complaints.append(str(error))


def check_answer(method: str, url: URL, status: int, headers: Mapping[str, str], body: bytes) -> None:
    """Whether the document tells of such an answer."""
    found = find_operation(method, url)
    if found is None or status in OF_NO_OPERATION:
        return
    path, name, operation = found
    if method == "HEAD" and status == 204:  # asked for nothing, where GET would do something
        return
    told = f"{method} {url.path} answered {status}"
    if str(status) not in operation["responses"]:
        assert status >= 500, f"{told}, which the document does not tell of"
    key = str(status) if str(status) in operation["responses"] else "default"
    response, pointer = operation["responses"][key], f"paths|{path}|{name}|responses|{key}"
    if "$ref" in response:
        shared = response["$ref"].rpartition("/")[2]
        response, pointer = document()["components"]["responses"][shared], f"components|responses|{shared}"
    for header in response["headers"]:
        if document()["components"]["headers"][header].get("required"):
            assert header in headers, f"{told} without {header}"
    if method == "HEAD" or not (body or response.get("content")):
        return
    check_body(told, response, pointer, headers.get("Content-Type", ""), body)


def check_body(told: str, response: Json, pointer: str, declared: str, body: bytes) -> None:
    kind = declared.partition(";")[0]
    assert kind in response.get("content", {}), f"{told} as {declared}, which the document does not tell of"
    if kind == "application/x-ndjson":
        check_lines(told, f"{pointer}|content|{kind}|schema|x-line", body)
    if not kind.endswith("json") or kind.endswith("ndjson"):
        return
    value = json.loads(body)
    errors = [
        f"{error.instance_path}: {error.message}" for error in validator_at(pointer, kind).iter_errors(value)
    ]
    assert not errors, f"{told}, and the document says otherwise: {errors[:3]}"
    examples = response["content"][kind].get("examples")
    if kind == "application/problem+json" and examples and value["status"] < 500:
        assert value["code"] in examples, f"{told} with code {value['code']}; the document has {[*examples]}"


def check_lines(told: str, pointer: str, body: bytes) -> None:
    for line in body.splitlines():
        errors = [error.message for error in validator(pointer).iter_errors(json.loads(line))]
        assert not errors, f"{told}, and the document says otherwise: {errors[:3]}"


def validator_at(pointer: str, kind: str) -> Any:
    return validator(f"{pointer}|content|{kind}|schema")


def check_request(method: str, url: URL, status: int, options: Mapping[str, Any]) -> None:
    """Whether the document tells of what was taken: of the parameters, and of a JSON body."""
    found = find_operation(method, url)
    if found is None or not 200 <= status < 300:
        return
    path, name, operation = found
    parameters = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
    open_ended = any(each.endswith("*") for each in parameters)
    if parameters and not open_ended:
        assert set(url.query) <= parameters, f"{method} {url} was taken; the document has {parameters}"
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" in content and "json" in options:
        pointer = f"paths|{path}|{name}|requestBody"
        errors = [
            error.message for error in validator_at(pointer, "application/json").iter_errors(options["json"])
        ]
        assert not errors, f"{method} {url.path} was taken, and the document says otherwise: {errors[:3]}"
