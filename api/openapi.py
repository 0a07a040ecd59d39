"""Converts marshmallow schemas to JSON Schema with examples, for the OpenAPI document.

A request schema (a `Strict`) requires the fields that are `required`. A response schema always has all of its
fields, but those with `x-optional` in their metadata. `x-items` are the schemas that the items of a list made
by a method may have.
"""

from collections import Counter
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
    """The schemas of a document, each under its class's name. `reference` adds a schema to it."""

    def __init__(self) -> None:
        self._schemas: dict[str, JsonSchema] = {}
        self._classes: dict[str, type[Schema]] = {}
        plugin = MarshmallowPlugin(schema_name_resolver=self._name)
        self._spec = APISpec("", "", OPENAPI_VERSION, plugins=[plugin])
        assert plugin.converter is not None
        self._converter: Any = plugin.converter
        self._converter.attribute_functions.insert(1, self._field_schema)

    def _name(self, schema: Any) -> str:
        cls: type[Schema] = schema if isinstance(schema, type) else type(schema)
        self._classes[cls.__name__] = cls
        return cls.__name__

    def _field_schema(self, field: fields.Field[Any], **_: Any) -> JsonSchema:
        """Return the `json_schema` of a field of ours; empty for marshmallow's own fields."""
        schema: JsonSchema = dict(getattr(field, "json_schema", {}))
        item_schemas = field.metadata.get("x-items")
        if item_schemas:
            schema["items"] = {"anyOf": [self.reference(item) for item in item_schemas]}
        return schema

    @property
    def schemas(self) -> dict[str, JsonSchema]:
        return dict(sorted(self._schemas.items()))

    def reference(self, schema: type[Schema]) -> JsonSchema:
        """Return the `$ref` of a schema, which then is in the document with all that it refers to."""
        reference: JsonSchema = self._converter.resolve_nested_schema(schema)
        for name, json_schema in self._spec.components.schemas.items():
            if name not in self._schemas:
                self._schemas[name] = complete(json_schema, self._classes[name])
        return reference

    def parameters(self, schemas: Sequence[type[Schema]]) -> list[JsonSchema]:
        """Describe the parameters of a query string that any of the schemas may load.

        A parameter that the schemas differ in, or that not all have, has no default: a generated client sends
        its defaults.
        """
        parameters: dict[str, JsonSchema] = {}
        counts = Counter(field.data_key or name for each in schemas for name, field in each().fields.items())
        for schema in schemas:
            for name, field in schema().fields.items():
                parameter = self._parameter(field.data_key or name, field)
                first = parameters.setdefault(parameter["name"], parameter)
                if first["schema"] != parameter["schema"] or counts[parameter["name"]] < len(schemas):
                    first["schema"].pop("default", None)
        return list(parameters.values())

    def _parameter(self, name: str, field: fields.Field[Any]) -> JsonSchema:
        schema = self._converter.field2property(field)
        schema.pop("writeOnly", None)
        if schema.get("default", "") is None:
            del schema["default"]
        # A query string has no null: a parameter that is left out loads to it.
        if "anyOf" not in schema:
            schema["type"] = main_type(schema)
        if "enum" in schema:
            schema["enum"] = [choice for choice in schema["enum"] if choice is not None]
        description = {"description": schema.pop("description")} if "description" in schema else {}
        # A list of names may stand in one parameter, with commas; clients may also repeat the parameter.
        is_list = schema.get("type") == "array" and "enum" in schema["items"]
        style = {"style": "form", "explode": False} if is_list else {}
        example = {"example": self.example(schema, name)} if field.required else {}
        return {
            "name": name,
            "in": "query",
            "required": field.required,
            **description,
            **style,
            "schema": schema,
            **example,
        }

    def example(self, schema: JsonSchema, name: str = "") -> Any:
        """Return a value that fits the schema: its own example, that of its name, or one of its type."""
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


def complete(json_schema: JsonSchema, schema: type[Schema]) -> JsonSchema:
    """Add what apispec can't know to the JSON Schema that it has made of a schema. Changes it in place."""
    properties: dict[str, JsonSchema] = json_schema["properties"]
    optional = {name for name, property_ in properties.items() if property_.pop("x-optional", False)}
    for property_ in properties.values():
        property_.pop("x-items", None)
        property_.pop("readOnly", None)  # methods and functions would say so, of responses alone
        if "default" in property_ and property_["default"] is None:
            del property_["default"]
    if not issubclass(schema, Strict):
        json_schema["required"] = [name for name in properties if name not in optional]
        json_schema.pop("additionalProperties", None)
    if docstring := vars(schema).get("__doc__"):
        json_schema["description"] = cleandoc(docstring)
    if hasattr(schema, "example"):
        json_schema["example"] = schema.example
    return json_schema


def main_type(schema: Mapping[str, Any]) -> str:
    """Return the type of a schema; of several, the first that is not null."""
    types = schema.get("type", "object" if "properties" in schema else "string")
    return str(next((name for name in types if name != "null"), "null") if isinstance(types, list) else types)


def matches_type(value: Any, kind: str) -> bool:
    return TYPE_EXAMPLES[kind] is None or isinstance(value, type(TYPE_EXAMPLES[kind]))
