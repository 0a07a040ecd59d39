"""Reads a request for tokens: JSON, or a form as OAuth 2 (RFC 6749) has it."""

from typing import Any
from urllib.parse import parse_qsl

from sanic.exceptions import BadRequest

from api.limits import MAX_PARAMETERS
from api.tokens import GRANTS, SignInForm, SignInRequest
from transport.operations import JSON
from transport.parsing import json_body, require_media_type
from transport.request import Request

FORM = "application/x-www-form-urlencoded"


class UnsupportedGrantType(BadRequest):
    """The grant type is none of ours."""

    code = "unsupported_grant_type"


def read_grant(request: Request) -> dict[str, Any]:
    """Return what SignInRequest loads.

    :raises ValidationError: a field is wrong or missing
    :raises BadRequest: the body can't be read, or is of another grant type
    """
    is_form = require_media_type(request, JSON, FORM) == FORM
    data = form_body(request) if is_form else json_body(request)
    grant_type = data.get("grant_type") if isinstance(data, dict) else None
    if isinstance(grant_type, str) and grant_type not in GRANTS:
        raise UnsupportedGrantType(f"grant_type must be {' or '.join(GRANTS)}")
    grant: dict[str, Any] = (SignInForm() if is_form else SignInRequest()).load(data)
    return grant


def form_body(request: Request) -> dict[str, str]:
    """Parse a form. Fields without a value are left out.

    :raises BadRequest: it is not UTF-8, or a field is given twice
    """
    try:
        pairs = parse_qsl(request.body.decode(), errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:  # UnicodeDecodeError is one
        raise BadRequest("the form is not UTF-8, or has too many fields") from None
    if len(dict(pairs)) < len(pairs):
        raise BadRequest("a field of the form is given twice")
    return dict(pairs)
