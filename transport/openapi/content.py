"""Shapes of bodies as media types with their schema and an example."""

from collections.abc import Mapping
from typing import Any

import orjson

from api.openapi import SchemaDocument
from transport.operations import JSON, Content, Events, File, Items, Lines, Page, Raw, Shape, Text

MediaType = dict[str, Any]


def media_types(schemas: SchemaDocument, content: Content) -> dict[str, MediaType]:
    if content is None:
        return {}
    if isinstance(content, Mapping):
        return {name: media_type(schemas, shape) for name, shape in content.items()}
    return {JSON: media_type(schemas, content)}


def media_type(schemas: SchemaDocument, shape: Shape) -> MediaType:
    match shape:
        case Page():
            following = {**shape.next, "type": [shape.next["type"], "null"]}
            schema = listing(schemas, shape.item, following)
            return {"schema": schema, "example": {"items": [example_of(schemas, shape.item)], "next": None}}
        case Items():
            schema = listing(schemas, shape.item, {"type": "null"})
            return {"schema": schema, "example": {"items": [example_of(schemas, shape.item)], "next": None}}
        case Lines():
            reference = schemas.reference(shape.item)
            line = orjson.dumps(schemas.example(reference)).decode()
            described = "one JSON object a line, each as `x-line`"
            return {
                "schema": {"type": "string", "description": described, "x-line": reference},
                "example": f"{line}\n",
            }
        case Events():
            reference = schemas.reference(shape.item)
            event = orjson.dumps(schemas.example(reference)).decode()
            described = "server-sent events, the data of each as `x-event`"
            return {
                "schema": {"type": "string", "description": described, "x-event": reference},
                "example": f"data: {event}\n\n",
            }
        case Text():
            return {"schema": {"type": "string", **about(shape.description)}, "example": shape.example}
        case File():
            return {"schema": {"type": "string", "format": "binary", **about(shape.description)}}
        case Raw():
            given = {} if shape.example is None else {"example": shape.example}
            return {"schema": dict(shape.schema), **given}
        case tuple():
            references = [schemas.reference(schema) for schema in shape]
            return {"schema": {"anyOf": references}, "example": schemas.example(references[0])}
        case _:
            reference = schemas.reference(shape)
            return {"schema": reference, "example": schemas.example(reference)}


def listing(schemas: SchemaDocument, item: Any, following: dict[str, Any]) -> dict[str, Any]:
    items = {"type": "array", "items": schemas.reference(item)}
    return {
        "type": "object",
        "properties": {"items": items, "next": following},
        "required": ["items", "next"],
    }


def example_of(schemas: SchemaDocument, item: Any) -> Any:
    return schemas.example(schemas.reference(item))


def about(description: str) -> dict[str, str]:
    return {"description": description} if description else {}
