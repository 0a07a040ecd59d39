"""Makes JSON values that fit a schema of the OpenAPI document, and breaks them."""

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import orjson

Json = Any
START = datetime(2018, 8, 1, tzinfo=UTC)
MAX_INTEGER = 2**63 - 1
LONG = 3000  # characters


@dataclass(frozen=True, slots=True)
class Token:
    """JSON text that stands in a document as it is, whether it is JSON or not."""

    text: str


TEXTS = (
    "",
    " ",
    "\0",
    "a\0b",
    "\u202e\u0000",
    "ﬁ½İ🏴‍☠️",
    "null",
    "-1",
    "0",
    "1e999",
    "9" * 30,
    "' OR 1=1 --",
    "%s%n{0}${7*7}{{7*7}}",
    "../../../../etc/passwd",
    "..%2f..%2fetc%2fpasswd",
    "/dev/zero",
    '=HYPERLINK("http:x")',
    "<script>alert(1)</script>",
    "a\r\nSet-Cookie: a=b",
    "\x1b[31m",
    "A" * LONG,
    "é" * 200,
    "(a+)+$",
    "localtime",
    "posix/UTC",
    "9999-12-31T23:59:59.999999999Z",
    "0001-01-01T00:00:00+23:59",
    "2024-02-30",
    "2024-05-06T00:00:00.0000000Z",
    "http://[::1",
    "https://\x7f/%ff%fe",
    "\\xD1\\x",
    "%ED%A0%80",
)
TOKENS = tuple(
    map(
        Token,
        (
            "NaN",
            "-Infinity",
            "1e999",
            "-1e-20000",
            "1E+2",
            "0.1e1",
            "-0",
            "01",
            "9" * 400,
            "0." + "1" * 400,
            '"\\ud800"',
            '"\\u0000"',
            '"\\x"',
            "'a'",
            "{,}",
            "[1,]",
            "[" * 2000 + "]" * 2000,
            "[" * 200_000,
            '{"a":' * 500 + "1" + "}" * 500,
            '{"a":1,"a":2}',
            "",
            "truefalse",
            "\ufeff1",
        ),
    )
)
VALUES: tuple[Json, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**30),
    *(0.5, -0.0, 1e300, 5e-324),
    *([], {}, [[]], [None], {"": ""}, {"$ref": "#"}, {"__proto__": {}}, [1, "a", {}]),
    {str(number): number for number in range(300)},
    list(range(300)),
)


class Values:
    """Makes the values of one request."""

    def __init__(self, random: Random, components: Json) -> None:
        self.random = random
        self._components = components

    def fitting(self, schema: Json, name: str = "") -> Json:
        """Make a value that fits a schema, more or less."""
        if "$ref" in schema:
            return self.fitting(self._components[schema["$ref"].rpartition("/")[2]], name)
        for key in ("oneOf", "anyOf"):
            if key in schema:
                return self.fitting(self.random.choice(schema[key]), name)
        if "example" in schema and self.random.random() < 0.3:
            return schema["example"]
        if "enum" in schema:
            return self.random.choice(schema["enum"])
        kinds = schema.get("type", "string")
        return self._of_kind(self.random.choice(kinds) if isinstance(kinds, list) else kinds, schema, name)

    def _of_kind(self, kind: str, schema: Json, name: str) -> Json:
        random = self.random
        match kind:
            case "object":
                return self._object(schema)
            case "array":
                size = random.choice((schema.get("minItems", 0), 1, 3))
                return [self.fitting(schema.get("items", {})) for _ in range(size)]
            case "integer" | "number":
                low, high = schema.get("minimum", -3), schema.get("maximum", MAX_INTEGER)
                return random.choice((low, high, random.randint(int(low), int(high)), max(1, int(low))))
            case "boolean":
                return random.random() < 0.5
            case "null":
                return None
        return self._text(schema, name)

    def _object(self, schema: Json) -> Json:
        required = schema.get("required", ())
        return {
            key: self.fitting(inner, key)
            for key, inner in schema.get("properties", {}).items()
            if key in required or self.random.random() < 0.5
        }

    def _text(self, schema: Json, name: str) -> str:
        random = self.random
        match schema.get("format"):
            case "date-time":
                return (START + timedelta(minutes=random.randrange(5_000_000))).isoformat()
            case "uuid":
                return str(UUID(int=random.getrandbits(128), version=4))
            case "password":
                return random.choice(("correct horse battery", "wrong horse battery"))
        if name in ("login", "username", "email"):
            return (
                f"user {random.randint(0, 99)}" if name != "email" else f"a{random.randint(0, 99)}@b.example"
            )
        size = random.choice((schema.get("minLength", 1), 3, min(schema.get("maxLength", 20), LONG)))
        return "".join(random.choice("abcXYZ_/ é1") for _ in range(size))

    def hostile(self) -> Json:
        """Make a value that fits hardly anything."""
        choice = self.random.random()
        if choice < 0.5:
            return self.random.choice(TEXTS)
        return self.random.choice(VALUES) if choice < 0.8 else self.random.choice(TOKENS)

    def hostile_text(self) -> str:
        """Make text for a URL or a header."""
        value = self.hostile()
        if isinstance(value, str):
            return value
        return value.text[:LONG] if isinstance(value, Token) else write_json(value)[:LONG]

    def broken(self, value: Json) -> Json:
        """Replace, remove or add something at a random place of a value."""
        random = self.random
        if isinstance(value, dict) and value and random.random() < 0.8:
            key = random.choice(list(value))
            match random.randint(0, 4):
                case 0:
                    return {name: inner for name, inner in value.items() if name != key}
                case 1:
                    return value | {
                        random.choice((key.upper(), "id", "role", "a\0", "$where")): self.hostile()
                    }
                case _:
                    return value | {key: self.broken(value[key])}
        if isinstance(value, list) and value and random.random() < 0.7:
            place = random.randrange(len(value))
            return [*value[:place], self.broken(value[place]), *value[place + 1 :]]
        return self.hostile()

    def broken_cursor(self, cursor: str) -> str:
        """Change a character or the meaning of a cursor."""
        random = self.random
        if random.random() < 0.5 and cursor:
            place = random.randrange(len(cursor))
            return cursor[:place] + random.choice("A-_=+/z0 é") + cursor[place + 1 :]
        inner = orjson.dumps(random.choice((None, [], [None] * 3, ["a", "b", "c"], [2**63, 0], {"a": 1})))
        return base64.urlsafe_b64encode(random.choice((inner, b"\xff\xfe", b"\0" * 9))).decode().rstrip("=")


def write_json(value: Json) -> str:
    """Write a value as JSON, tokens as they are."""
    match value:
        case Token():
            return value.text
        case dict():
            pairs = (f"{write_json(str(key))}:{write_json(inner)}" for key, inner in value.items())
            return "{" + ",".join(pairs) + "}"
        case list():
            return "[" + ",".join(map(write_json, value)) + "]"
        case int() if not isinstance(value, bool):
            return str(value)
    return orjson.dumps(value).decode()
