"""/keys: the caller's API keys."""

import secrets
import uuid

from sanic import Blueprint
from sanic.response import HTTPResponse

from api.credentials import CreateKeyRequest, KeyResponse, ListKeysRequest, NewKeyResponse
from service.accounts import api_keys
from transport.operations import REAUTHENTICATION, Page, operation
from transport.parsing import body, query
from transport.request import Request
from transport.responses import created, no_content, page

blueprint = Blueprint("keys")

create_key_request = CreateKeyRequest()
list_keys_request = ListKeysRequest()
key_response = KeyResponse()


@blueprint.post("/keys")
@operation(
    body=CreateKeyRequest,
    responses={201: NewKeyResponse},
    problems={403: REAUTHENTICATION, 409: "quota_exceeded", 429: "too_many_at_once"},
)
async def create_key(request: Request) -> HTTPResponse:
    row, key = await api_keys.create_key(
        request.deps,
        request.caller,
        **body(request, create_key_request),
        key_id=uuid.uuid4(),
        secret=secrets.token_bytes(32),
        origin=request.origin,
    )
    return created(f"/keys/{row.id}", NewKeyResponse(key=key).dump(row))


@blueprint.get("/keys")
@operation(query=ListKeysRequest, responses={200: Page(KeyResponse)})
async def list_keys(request: Request) -> HTTPResponse:
    parameters = query(request, list_keys_request)
    rows = await api_keys.list_keys(request.deps.db, request.user_id, **parameters)
    return page(
        request, key_response, rows, limit=parameters["limit"], key=lambda row: (row.created_at, str(row.id))
    )


@blueprint.delete("/keys/<key_id:uuid>")
@operation(responses={204: None})
async def delete_key(request: Request, key_id: uuid.UUID) -> HTTPResponse:
    await api_keys.delete_key(request.deps, request.user_id, key_id, request.origin)
    return no_content()
