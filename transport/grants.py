"""Reads a request for tokens: JSON, or a form as OAuth 2 (RFC 6749) has it."""

from typing import Any
from urllib.parse import parse_qsl

from sanic.exceptions import BadRequest

from api.limits import MAX_PARAMETERS
from api.tokens import GRANTS, SignInForm, SignInRequest
from transport.multipart import FORM as MULTIPART
from transport.multipart import read_fields
from transport.operations import JSON
from transport.parsing import json_body, require_media_type
from transport.request import Request

FORM = "application/x-www-form-urlencoded"

sign_in_form = SignInForm()
sign_in_request = SignInRequest()


class UnsupportedGrantType(BadRequest):
    """The grant type is none of ours."""

    code = "unsupported_grant_type"


async def read_grant(request: Request) -> dict[str, Any]:
    """Return what SignInRequest loads.

    :raises ValidationError: a field is wrong or missing
    :raises BadRequest: the body can't be read, or is of another grant type
    """
    media_type = require_media_type(request, JSON, FORM, MULTIPART)
    is_form = media_type != JSON
    data = form_body(await form_pairs(request, media_type)) if is_form else json_body(request)
    grant_type = data.get("grant_type") if isinstance(data, dict) else None
    if isinstance(grant_type, str) and grant_type not in GRANTS:
        raise UnsupportedGrantType(f"grant_type must be {' or '.join(GRANTS)}")
    grant: dict[str, Any] = (sign_in_form if is_form else sign_in_request).load(data)
    return grant


async def form_pairs(request: Request, media_type: str) -> list[tuple[str, str]]:
    """Parse a form of either type: clients of OAuth 2 are told of one, and some send the other.

    :raises BadRequest: it is not a form, is not UTF-8, or has too many fields
    """
    if media_type == MULTIPART:
        return await read_fields(request.headers["content-type"], request.body, most=MAX_PARAMETERS)
    try:
        return parse_qsl(request.body.decode(), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest("the form is not UTF-8, or has too many fields") from None


def form_body(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Return the fields of a form; those without a value are left out.

    :raises BadRequest: a field is given twice
    """
    fields = {name: value for name, value in pairs if value}
    if len(fields) < sum(value != "" for _, value in pairs):
        raise BadRequest("a field of the form is given twice")
    return fields
