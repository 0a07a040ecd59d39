#!/usr/bin/env bash
# apispec 6.10.1 with marshmallow 4.4.0: what the schema says that the document does not.
#
# Guess: Range(min=0, min_inclusive=False) becomes exclusiveMinimum, and Decimal(as_string=True) a string.
#
# What happens: the limit is written as "minimum": 0, as if 0 were allowed, for OpenAPI 3.0 and 3.1 alike.
# Decimals that are sent as strings are documented as numbers; the type of a Dict's keys and the whole content
# of a Tuple are left out.
#
# Why it matters: a client made from the document sends 0 and is refused, or fails to read "1.50" as a number;
# a test that compares answers with the document fails on correct answers.
#
# Output seen:
#     3.0.3
#         minutes {"type": "integer", "minimum": 0}
#         price {"type": "number"}
#         visits {"type": "object", "additionalProperties": {"type": "integer"}}
#         size {}
#     3.1.0
#         minutes {"type": "integer", "minimum": 0}
#         price {"type": "number"}
#         visits {"type": "object", "additionalProperties": {"type": "integer"}}
#         size {}
#     0 minutes: {'minutes': ['Must be greater than 0.']}
#     dumped: {'price': '1.50', 'size': (1, 2)}
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C TZ=UTC

python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check --no-cache-dir apispec==6.10.1 marshmallow==4.4.0 2>pip.log || { cat pip.log; exit 1; }

venv/bin/python - >seen <<'END'
import json
from decimal import Decimal

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from marshmallow import Schema, ValidationError, fields, validate


class Film(Schema):
    minutes = fields.Integer(validate=validate.Range(min=0, min_inclusive=False))
    price = fields.Decimal(as_string=True)
    visits = fields.Dict(keys=fields.Date(), values=fields.Integer())
    size = fields.Tuple((fields.Integer(), fields.Integer()))


for version in ("3.0.3", "3.1.0"):
    spec = APISpec("shop", "1", version, plugins=[MarshmallowPlugin()])
    spec.components.schema("Film", schema=Film)
    print(version)
    for name, documented in spec.to_dict()["components"]["schemas"]["Film"]["properties"].items():
        print("   ", name, json.dumps(documented))
try:
    Film().load({"minutes": 0})
except ValidationError as error:
    print("0 minutes:", error.messages)
print("dumped:", Film().dump({"price": Decimal("1.50"), "size": (1, 2)}))
END

cat >expected <<'END_OF_EXPECTED'
3.0.3
    minutes {"type": "integer", "minimum": 0}
    price {"type": "number"}
    visits {"type": "object", "additionalProperties": {"type": "integer"}}
    size {}
3.1.0
    minutes {"type": "integer", "minimum": 0}
    price {"type": "number"}
    visits {"type": "object", "additionalProperties": {"type": "integer"}}
    size {}
0 minutes: {'minutes': ['Must be greater than 0.']}
dumped: {'price': '1.50', 'size': (1, 2)}
END_OF_EXPECTED
if ! diff -u expected seen; then
    echo 'The behaviour has changed.' >&2
    exit 1
fi
cat seen
