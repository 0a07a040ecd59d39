"""Schemas as JSON Schema, for the OpenAPI document: what comes in and goes out, with an example of each.

A request schema (a `Strict`) needs what its fields require. Of a response schema every field is there, unless
its metadata says `x-optional`; `x-items` are the schemas that the items of a list made by a method may have.
"""

from collections.abc import Iterator, Mapping, Sequence
from inspect import cleandoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, fields

from api.examples import EXAMPLES
from api.fields import JsonSchema, Strict

OPENAPI_VERSION = "3.1.0"
REFERENCE = "#/components/schemas/"
FORMAT_EXAMPLES = {
    "date-time": "2018-08-01T03:00:00Z",
    "date": "2018-08-01",
    "uuid": "0d9c6f3a-5b1e-4f7a-9a51-3f1f6d2c8e40",
}
TYPE_EXAMPLES: dict[str, Any] = {"integer": 1, "number": 0.5, "boolean": True, "string": "text", "null": None}


class SchemaDocument:
    """The schemas of a document, each under its class's name."""

    def __init__(self) -> None:
        self._finished: dict[str, JsonSchema] = {}
        self._classes: dict[str, type[Schema]] = {}
        plugin = MarshmallowPlugin(schema_name_resolver=self._name)
        self._spec = APISpec("", "", OPENAPI_VERSION, plugins=[plugin])
        assert plugin.converter is not None
        self._converter: Any = plugin.converter
        self._converter.attribute_functions.insert(1, self._own_schema)

    def _name(self, schema: Any) -> str:
        found: type[Schema] = schema if isinstance(schema, type) else type(schema)
        self._classes[found.__name__] = found
        return found.__name__

    def _own_schema(self, field: fields.Field[Any], **_: Any) -> JsonSchema:
        """What a field of ours says of itself."""
        described: JsonSchema = dict(getattr(field, "json_schema", {}))
        kinds = field.metadata.get("x-items")
        if kinds:
            described["items"] = {"anyOf": [self.reference(kind) for kind in kinds]}
        return described

    @property
    def schemas(self) -> dict[str, JsonSchema]:
        return dict(sorted(self._finished.items()))

    def reference(self, schema: type[Schema]) -> JsonSchema:
        found: JsonSchema = self._converter.resolve_nested_schema(schema)
        for name, made in self._spec.components.schemas.items():
            if name not in self._finished:
                self._finished[name] = finish(made, self._classes[name])
        return found

    def parameters(self, schemas: Sequence[type[Schema]]) -> list[JsonSchema]:
        """The parameters of a query string: of all schemas, without a default where they differ."""
        found: dict[str, JsonSchema] = {}
        for schema in schemas:
            for name, field in schema().fields.items():
                parameter = self._parameter(field.data_key or name, field)
                known = found.setdefault(parameter["name"], parameter)
                if known["schema"] != parameter["schema"]:
                    known["schema"].pop("default", None)
        return list(found.values())

    def _parameter(self, name: str, field: fields.Field[Any]) -> JsonSchema:
        schema = self._converter.field2property(field)
        schema.pop("writeOnly", None)
        if schema.get("default", "") is None:
            del schema["default"]
        # A query string has no null: that is how a parameter that is left out loads.
        schema["type"] = main_type(schema)
        if "enum" in schema:
            schema["enum"] = [choice for choice in schema["enum"] if choice is not None]
        described = {"description": schema.pop("description")} if "description" in schema else {}
        example = {"example": self.example(schema, name)} if field.required else {}
        return {
            "name": name,
            "in": "query",
            "required": field.required,
            **described,
            "schema": schema,
            **example,
        }

    def example(self, schema: JsonSchema, name: str = "") -> Any:
        """A value that the schema takes: its own example, that of its name, or one of its type."""
        if "example" in schema:
            return schema["example"]
        if "$ref" in schema:
            return self.example(self.schemas[schema["$ref"].removeprefix(REFERENCE)], name)
        for choice in ("anyOf", "oneOf"):
            if choice in schema:
                return self.example(schema[choice][0], name)
        kind = main_type(schema)
        if kind == "object":
            return dict(self._members(schema))
        if kind == "array":
            return EXAMPLES.get(name, [self.example(schema.get("items", {}), name.removesuffix("s"))])
        if "enum" in schema:
            return schema["enum"][0]
        if name in EXAMPLES and matches_type(EXAMPLES[name], kind):
            return EXAMPLES[name]
        if "format" in schema and schema["format"] in FORMAT_EXAMPLES:
            return FORMAT_EXAMPLES[schema["format"]]
        return max(1, schema.get("minimum", 1)) if kind == "integer" else TYPE_EXAMPLES[kind]

    def _members(self, schema: JsonSchema) -> Iterator[tuple[str, Any]]:
        for name, property_ in schema.get("properties", {}).items():
            yield name, self.example(property_, name)


def finish(made: JsonSchema, schema: type[Schema]) -> JsonSchema:
    """What apispec made of a schema, with what it can't know."""
    properties: dict[str, JsonSchema] = made["properties"]
    optional = {name for name, property_ in properties.items() if property_.pop("x-optional", False)}
    for property_ in properties.values():
        property_.pop("x-items", None)
        property_.pop("readOnly", None)  # methods and functions would say so, of responses alone
        if "default" in property_ and property_["default"] is None:
            del property_["default"]
    if not issubclass(schema, Strict):
        made["required"] = [name for name in properties if name not in optional]
        made.pop("additionalProperties", None)
    if own_text := vars(schema).get("__doc__"):
        made["description"] = cleandoc(own_text)
    if hasattr(schema, "example"):
        made["example"] = schema.example
    return made


def main_type(schema: Mapping[str, Any]) -> str:
    """The type of a schema; of several, the first that is not null."""
    kinds = schema.get("type", "object" if "properties" in schema else "string")
    return str(next((kind for kind in kinds if kind != "null"), "null") if isinstance(kinds, list) else kinds)


def matches_type(value: Any, kind: str) -> bool:
    return TYPE_EXAMPLES[kind] is None or isinstance(value, type(TYPE_EXAMPLES[kind]))
