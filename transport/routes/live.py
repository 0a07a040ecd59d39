"""/live: what happens right now, each second, as server-sent events."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import lru_cache

import orjson
from sanic import Blueprint
from sanic.response import HTTPResponse

from api.live import LiveResponse
from service import live_feed as live
from service.accounts.authentication import authenticate
from service.clock import now
from service.errors import Unauthorized
from service.live_feed import LiveState
from transport.auth import read_token
from transport.event_stream import MEDIA_TYPE, stream_events
from transport.operations import Events, operation
from transport.request import Request

blueprint = Blueprint("live")

ASK_AGAIN = 2.0  # seconds after which a listener's token is looked at again

live_response = LiveResponse()


@blueprint.get("/live", ctx_scope="live:read")
@operation(answers={200: {MEDIA_TYPE: Events(LiveResponse)}}, summary="What happens right now, each second")
async def watch_live(request: Request) -> HTTPResponse | None:
    return await stream_events(request, states(request))


async def states(request: Request) -> AsyncGenerator[bytes]:
    """Each second's state, until the server drains or the caller's token has died."""
    token = read_token(request.headers.getall("authorization"))
    asked_at = time.monotonic()
    async with aclosing(live.watch(request.deps)) as seconds:
        async for state in seconds:
            if request.app.ctx.draining:
                return
            if time.monotonic() - asked_at >= ASK_AGAIN:
                asked_at = time.monotonic()
                if not await is_alive(request, token):
                    return
            yield encode(state)


async def is_alive(request: Request, token: str) -> bool:
    try:
        await authenticate(request.deps, token, counter="", limit=0, now=now())
    except Unauthorized:
        return False
    return True


@lru_cache(maxsize=4)
def encode(state: LiveState) -> bytes:
    """Once for all who listen: a state is known by its identity."""
    return orjson.dumps(live_response.dump(state))
