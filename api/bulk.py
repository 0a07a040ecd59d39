"""What bulk routes answer: counts, and a verdict on each item that was not created."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, fields

from api.fields import OPTIONAL, Uuid


class ItemError(Schema):
    pointer = fields.String()
    detail = fields.String()


class Verdict(Schema):
    """Base of verdicts. Each route's own has the name and the texts that the OpenAPI document shows."""

    index = fields.Integer(metadata={"description": "place in the list, from 0"})
    id = Uuid(metadata=OPTIONAL)
    status = fields.String(metadata={"enum": ["duplicate", "conflict", "invalid"]})
    errors = fields.List(fields.Nested(ItemError), metadata=OPTIONAL)


class Verdicts(fields.List[Any]):
    """Verdicts, of which there may be thousands: dumped by hand, ten times as fast as by their schema.

    A verdict is any object with `index`, `status`, `errors`, and its item's id under the name `id_name`.
    """

    def __init__(self, schema: type[Schema], *, id_name: str, **kwargs: Any) -> None:
        super().__init__(fields.Nested(schema), **kwargs)
        self.id_name = id_name

    def _serialize(self, value: Any, *_: Any, **__: Any) -> Any:
        return [dump_verdict(verdict, self.id_name) for verdict in value]


class BulkResponse(Schema):
    """Base of the responses: the counts add up to `received`."""

    received = fields.Integer()
    created = fields.Integer()
    duplicates = fields.Integer()
    conflicts = fields.Integer()
    invalid = fields.Integer()


def dump_verdict(verdict: Any, id_name: str) -> dict[str, Any]:
    response: dict[str, Any] = {"index": verdict.index}
    item_id = getattr(verdict, id_name)
    if item_id is not None:
        response[id_name] = str(item_id)
    response["status"] = verdict.status
    if verdict.errors:
        response["errors"] = dump_errors(verdict.errors)
    return response


def dump_errors(errors: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Dump (JSON pointer, detail) pairs, as problems and verdicts have them."""
    return [{"pointer": pointer, "detail": detail} for pointer, detail in errors]
