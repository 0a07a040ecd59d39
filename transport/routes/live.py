"""/live: what happens right now, each second, as server-sent events."""

import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache

import orjson
from sanic import Blueprint
from sanic.response import HTTPResponse

from api.live import LiveResponse
from clock import now
from service import live_feed as live
from service.accounts.authentication import authenticate
from service.errors import Unauthorized
from service.live_feed import LiveState
from service.security.streams import hold_stream
from transport.auth import read_token
from transport.operations import Events, operation
from transport.request import Request
from transport.streaming import EVENT_STREAM, stream_events

blueprint = Blueprint("live")

live_response = LiveResponse()


@blueprint.get("/live", ctx_scope="live:read")
@operation(
    responses={200: {EVENT_STREAM: Events(LiveResponse)}},
    problems={409: "quota_exceeded"},
)
async def watch_live(request: Request) -> HTTPResponse | None:
    deps = request.deps
    async with hold_stream(deps.cache, request.user_id, deps.quotas.streams, stream_id=uuid.uuid4()):
        return await stream_events(request, encoded_states(request))


async def encoded_states(request: Request) -> AsyncGenerator[bytes]:
    """Yield each second's state as JSON, until the server drains or the caller's token becomes invalid."""
    token = read_token(request.headers.getall("authorization"))
    checked_at = time.monotonic()
    async with aclosing(live.watch(request.deps)) as states:
        async for state in states:
            if request.app.ctx.draining:
                return
            if time.monotonic() - checked_at >= request.timeouts.token_check:
                checked_at = time.monotonic()
                if not await is_valid(request, token):
                    return
            yield encode(state)


async def is_valid(request: Request, token: str) -> bool:
    try:
        await authenticate(request.deps, token, counter="", limit=0, now=now())
    except Unauthorized:
        return False
    return True


@lru_cache(maxsize=4)
def encode(state: LiveState) -> bytes:
    """Dump a state as JSON, once for all listeners: the cache compares states by identity."""
    return orjson.dumps(live_response.dump(state))
