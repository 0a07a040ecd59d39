"""The one shape of everything that goes wrong (RFC 9457)."""

from marshmallow import Schema, fields

from api.bulk import ItemError
from api.fields import OPTIONAL


class InvalidValue(ItemError):
    pointer = fields.String(metadata={"description": "JSON pointer into the body, or / and a parameter"})


class ProblemResponse(Schema):
    """`code` is stable, for programs; `errors` comes with 422 alone."""

    type = fields.String(required=True, metadata={"example": "about:blank"})
    title = fields.String(required=True, metadata={"example": "Not Found"})
    status = fields.Integer(required=True, metadata={"example": 404})
    detail = fields.String(required=True, metadata={"example": "there is nothing at this path"})
    code = fields.String(required=True, metadata={"example": "not_found"})
    request_id = fields.String(required=True)
    errors = fields.List(fields.Nested(InvalidValue), metadata=OPTIONAL)


class TokenProblemResponse(ProblemResponse):
    """A problem of the routes that give tokens, with the members that OAuth 2 (RFC 6749) knows."""

    error = fields.String(
        metadata={
            **OPTIONAL,
            "example": "invalid_grant",
            "description": "missing if it is the server's fault",
        }
    )
    error_description = fields.String(metadata={**OPTIONAL, "example": "no active account has this login"})
