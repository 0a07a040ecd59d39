"""Fields that take exactly what they say: nothing rounded, cut, guessed or beyond 64 bits.

`json_schema` is a field's part of the OpenAPI document.
"""

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from types import NoneType
from typing import Any, ClassVar, Self

from marshmallow import RAISE, Schema, ValidationError, fields, pre_load
from marshmallow.validate import Length

from api.limits import MAX_INTEGER, MIN_INTEGER

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", re.IGNORECASE)
WHOLE_NUMBER = re.compile(r"-?[0-9]{1,19}")

JsonSchema = dict[str, Any]
OPTIONAL = {"x-optional": True}  # metadata of a response's field that may be missing
NOT_AN_OBJECT = "must be an object"
OWN_WORDS = {"unknown": "is not known here", "type": NOT_AN_OBJECT}
# What the library says of any field, in our words: they follow the field's name.
fields.Field.default_error_messages |= {"required": "is needed", "null": "must not be null"}
fields.List.default_error_messages |= {"invalid": "must be a list"}
fields.Nested.default_error_messages |= {"type": NOT_AN_OBJECT}


def item_count(minimum: int, maximum: int) -> Length:
    """Return the validator of a list with so many items."""
    return Length(minimum, maximum, error="must have {min} to {max} items")


class CodedMessage(str):
    """A message that gives the problem document a code of its own."""

    __slots__ = ("code",)

    def __new__(cls, text: str, code: str) -> Self:
        message = super().__new__(cls, text)
        message.code = code
        return message

    code: str


class Strict(Schema):
    """Base of all request schemas: an unknown field is an error."""

    error_messages = OWN_WORDS

    class Meta:
        unknown = RAISE


class NullIsAbsent(Strict):
    """Base of bodies whose fields may be null as well as left out: so clients send what is not set."""

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        if not isinstance(data, Mapping):
            return data  # whose error is told
        nullable = {field.data_key or name for name, field in self.load_fields.items() if field.allow_none}
        return {name: value for name, value in data.items() if value is not None or name not in nullable}


class Integer(fields.Field[int]):
    """A whole JSON number: no boolean, no 1.0, no text."""

    @property
    def json_schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}

    def __init__(self, *, minimum: int = MIN_INTEGER, maximum: int = MAX_INTEGER, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise ValidationError(f"must be a whole number from {self.minimum} to {self.maximum}")
        return value


class IntegerText(Integer):
    """A whole number in a query string."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        number = int(value) if isinstance(value, str) and WHOLE_NUMBER.fullmatch(value) else None
        return super()._deserialize(number)


class DigitsOrInteger(Integer):
    """A whole JSON number, or its digits as text, which programs send whose own numbers are shorter."""

    @property
    def json_schema(self) -> JsonSchema:
        digits = {"type": "string", "pattern": "^-?[0-9]{1,19}$"}
        null = [{"type": "null"}] if self.allow_none else []
        return {"anyOf": [super().json_schema, digits, *null]}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        is_text = isinstance(value, str) and WHOLE_NUMBER.fullmatch(value) is not None
        return super()._deserialize(int(value) if is_text else value)


class Text(fields.Field[str]):
    """Text of bounded length, in characters, that PostgreSQL can store."""

    @property
    def json_schema(self) -> JsonSchema:
        lowest = {"minLength": self.minimum} if self.minimum else {}
        return {"type": "string", **lowest, "maxLength": self.maximum}

    def __init__(self, *, minimum: int = 0, maximum: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("must be text")
        if not self.minimum <= len(value) <= self.maximum:
            count = f"{self.minimum} to {self.maximum}" if self.minimum < self.maximum else self.maximum
            raise ValidationError(f"must have {count} characters")
        if "\0" in value:
            raise ValidationError("must not hold a NUL character")
        if not value.isascii() and any("\ud800" <= letter <= "\udfff" for letter in value):
            raise ValidationError("must not hold half of a surrogate pair")
        return value


class Choice(fields.Field[str]):
    """One of a few names."""

    @property
    def json_schema(self) -> JsonSchema:
        return {"type": "string", "enum": [*self.choices, *([None] if self.allow_none else [])]}

    def __init__(self, *choices: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.choices = choices

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> str:
        if not isinstance(value, str) or value not in self.choices:
            raise ValidationError(f"must be one of: {', '.join(self.choices)}")
        return value


class Flag(fields.Field[bool]):
    """A JSON boolean, or `true` or `false` in a query string."""

    json_schema: ClassVar[JsonSchema] = {"type": "boolean"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if value is True or value == "true":
            return True
        if value is False or value == "false":
            return False
        raise ValidationError("must be true or false")


class RawCells(Flag):
    """Whether cells of CSV stay as they are that a spreadsheet would take for formulas."""

    json_schema: ClassVar[JsonSchema] = {
        "type": "boolean",
        "description": "leave cells of CSV that begin with = + - @ as they are, without the ' before them",
    }

    def __init__(self) -> None:
        super().__init__(load_default=False, load_only=True)


def choices_schema(names: Sequence[str], most: int) -> JsonSchema:
    """Return the JSON Schema of some of the names: with commas between, or each a parameter of its own."""
    return {
        "type": "array",
        "items": {"type": "string", "enum": list(names)},
        "minItems": 1,
        "maxItems": most,
        "uniqueItems": True,
        "description": f"what is counted apart: up to {most}, with a comma between them",
    }


class Uuid(fields.Field[uuid.UUID]):
    """A UUID, with its dashes or as 32 digits alone. Out always with them."""

    json_schema: ClassVar[JsonSchema] = {"type": "string", "format": "uuid"}

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> uuid.UUID:
        if not isinstance(value, str) or not UUID.fullmatch(value):
            raise ValidationError("must be a UUID")
        return uuid.UUID(value)

    def _serialize(self, value: uuid.UUID | None, *_: Any, **__: Any) -> str | None:
        return None if value is None else str(value)


class RawItems(fields.List[Any]):
    """A list whose items are loaded as they are, so that each can be judged on its own."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")
        return value


TEXT: frozenset[type] = frozenset({str, NoneType})
# The types of values which fields of these classes dump as they are.
PLAIN: dict[type[fields.Field[Any]], frozenset[type]] = {
    fields.Integer: frozenset({int, NoneType}),
    fields.String: TEXT,
    Choice: TEXT,
    Uuid: TEXT,
}


class RowResponse(Schema):
    """Base of responses of many rows, which have all attributes.

    They are dumped column by column, and what JSON has as it is stays: taking each value through its field,
    as marshmallow does, costs four times as much.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._values_of = attrgetter(
            *(self.path_of(field.attribute or name) for name, field in self.dump_fields.items())
        )

    def path_of(self, attribute: str) -> str:
        """Return where a row has what is an attribute of it here."""
        return attribute

    def dump(self, obj: Any, *, many: bool | None = None) -> Any:
        is_many = self.many if many is None else many
        rows = self.dump_rows(obj if is_many else [obj])
        return rows if is_many else rows[0]

    def dump_rows(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        return dump_columns(self.dump_fields, map(self._values_of, rows), rows) if rows else []


class GroupResponse(RowResponse):
    """Base of responses of many groups. All have the fields of the first: those that were asked for."""

    def values(self, group: Any) -> Mapping[str, Any]:
        """Return the values of a group by field."""
        raise NotImplementedError  # each response knows where its groups have their values

    def dump_rows(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        groups = [self.values(row) for row in rows]
        if not groups:
            return []
        dumped = {name: field for name, field in self.dump_fields.items() if name in groups[0]}
        return dump_columns(dumped, ([group[name] for name in dumped] for group in groups), rows)


def dump_columns(
    dumped: Mapping[str, fields.Field[Any]], values_of_rows: Iterable[Sequence[Any]], rows: Sequence[Any]
) -> list[dict[str, Any]]:
    """Dump rows by their values, which are in the order of the fields."""
    keys = [field.data_key or name for name, field in dumped.items()]
    columns = [
        values
        if PLAIN.get(type(field), frozenset()).issuperset(map(type, values))
        else [
            field._serialize(value, name, row)  # noqa: SLF001 - what classes of fields define; `serialize` looks the value up again
            for value, row in zip(values, rows, strict=True)
        ]
        for (name, field), values in zip(dumped.items(), zip(*values_of_rows, strict=True), strict=True)
    ]
    return [dict(zip(keys, values, strict=True)) for values in zip(*columns, strict=True)]
