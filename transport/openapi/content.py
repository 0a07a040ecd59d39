"""Describes the shape of a body as media types, each with its schema and an example."""

from collections.abc import Mapping
from typing import Any

import orjson

from api.limits import MAX_BATCH
from api.openapi import SchemaDocument
from transport.operations import JSON, Array, Binary, Content, Events, Items, Lines, Page, Raw, Shape, Text

MediaType = dict[str, Any]


def media_types(schemas: SchemaDocument, content: Content) -> dict[str, MediaType]:
    if content is None:
        return {}
    if isinstance(content, Mapping):
        return {name: media_type(schemas, shape) for name, shape in content.items()}
    return {JSON: media_type(schemas, content)}


def media_type(schemas: SchemaDocument, shape: Shape) -> MediaType:
    """Describe one shape: its schema, and an example of a whole body."""
    schema: MediaType
    match shape:
        case Page():
            return list_type(schemas, shape.item, {**shape.next, "type": [shape.next["type"], "null"]})
        case Items():
            return list_type(schemas, shape.item, {"type": "null"})
        case Array():
            reference = schemas.reference(shape.item)
            bounds = {"minItems": 1, "maxItems": MAX_BATCH}
            schema = {"type": "array", "items": reference, **bounds}
            return {"schema": schema, "example": [schemas.example(reference)]}
        case Lines():
            reference = schemas.reference(shape.item)
            line = orjson.dumps(schemas.example(reference)).decode()
            description = "one JSON object a line, each as `x-line`"
            return {
                "schema": {"type": "string", "description": description, "x-line": reference},
                "example": f"{line}\n",
            }
        case Events():
            reference = schemas.reference(shape.item)
            event = orjson.dumps(schemas.example(reference)).decode()
            description = "server-sent events, the data of each as `x-event`"
            return {
                "schema": {"type": "string", "description": description, "x-event": reference},
                "example": f"data: {event}\n\n",
            }
        case Text():
            schema = {"type": "string"} | ({"description": shape.description} if shape.description else {})
            return {"schema": schema, "example": shape.example}
        case Binary():
            schema = {"type": "string", "format": "binary", "description": shape.description}
            return {"schema": schema} | ({} if shape.example is None else {"example": shape.example})
        case Raw():
            example = {} if shape.example is None else {"example": shape.example}
            return {"schema": dict(shape.schema), **example}
        case tuple():
            types = [media_type(schemas, each) for each in shape]
            return {"schema": {"anyOf": [each["schema"] for each in types]}, "example": types[0]["example"]}
        case _:
            reference = schemas.reference(shape)
            return {"schema": reference, "example": schemas.example(reference)}


def list_type(schemas: SchemaDocument, item: Any, next_schema: dict[str, Any]) -> MediaType:
    """Describe `{"items": […], "next": …}`."""
    reference = schemas.reference(item)
    schema = {
        "type": "object",
        "properties": {"items": {"type": "array", "items": reference}, "next": next_schema},
        "required": ["items", "next"],
    }
    return {"schema": schema, "example": {"items": [schemas.example(reference)], "next": None}}
