"""Reads of a replica: what a caller must see there, and what is done again on the primary."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import structlog

from clock import now
from db.database import DATABASE_ERRORS
from db.outages import describe, is_outage
from db.replica import ReadScope, current_scope, must_repeat
from service.accounts.own_writes import find_position, note_write
from service.security.tokens import decode_token
from transport.request import Request

log = structlog.get_logger("trawl.replica")

T = TypeVar("T")
READING_METHODS = ("GET", "HEAD", "OPTIONS")


def has_replica(request: Request) -> bool:
    return request.deps.replica is not request.deps.db


def begin_reading(request: Request) -> None:
    """Have what the request reads from a replica hold what its account has written."""
    if has_replica(request):
        current_scope.set(ReadScope(partial(find_position, request.deps.cache, request.ctx.user_id)))


def note_account(request: Request, token: str) -> None:
    """Record whose write a sign-in is, by the token that it gave."""
    if has_replica(request):
        request.ctx.wrote_as = decode_token(request.deps.tokens, token, now=now()).user_id


async def end_writing(request: Request) -> None:
    """Note what the request wrote, before its answer is sent. `ctx_writes=True` is for a GET that writes."""
    account_id = request.ctx.wrote_as or request.ctx.user_id
    if not account_id or not has_replica(request) or request.route is None:
        return
    if request.method in READING_METHODS and not getattr(request.route_ctx, "writes", False):
        return
    try:
        await note_write(request.deps, account_id)
    except DATABASE_ERRORS as error:
        if not is_outage(error):
            raise
        log.warning("write_not_noted", cause=describe(error))


async def or_from_primary(request: Request, read: Callable[[], Awaitable[T]]) -> T:
    """Await what `read` returns; again, of the primary, if the replica failed and no answer has begun."""
    try:
        return await read()
    except DATABASE_ERRORS as error:
        if request.responded or not must_repeat(error):
            raise
    return await read()
