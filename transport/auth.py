"""Lets a request in, or not: who asks, may it use this route, and how often has it asked."""

from collections.abc import Sequence

import structlog

from service.accounts.authentication import Caller, authenticate
from service.clock import now
from service.errors import Forbidden, Unauthorized
from transport.limits import apply, limit_address, route_limit, user_counter
from transport.request import Request


async def admit(request: Request) -> None:
    """Find out who asks, count the request, and refuse what its caller may not do.

    Routes are private. `ctx_public=True` opens one to everybody, `ctx_admin=True` closes it to all but
    admins, and `ctx_scope="reports:read"` opens it to API keys of that scope.

    :raises Unauthorized: nobody, or a token that stands for nobody
    :raises Forbidden: a known caller that may not
    :raises TooMany: over the limit
    """
    route = request.route_ctx
    policy = route_limit(request)
    if getattr(route, "public", False):
        await limit_address(request, policy)
        return
    try:
        token = read_token(request.headers.getall("authorization", ()))
        caller, counted = await authenticate(
            request.deps, token, counter=user_counter(policy), limit=policy.limit, now=now()
        )
    except Unauthorized:
        # Guessing tokens is limited too, by the address.
        await limit_address(request, policy)
        raise
    request.ctx.caller = caller
    request.ctx.user_id = caller.user_id
    structlog.contextvars.bind_contextvars(user_id=caller.user_id)
    if counted is not None:
        apply(request, policy, counted)
    check_rights(caller, scope=getattr(route, "scope", None), admin=getattr(route, "admin", False))


async def require_registration(request: Request) -> None:
    """Where registration is closed, an admin's token is needed after all.

    :raises Forbidden: it is closed, and this is no admin
    """
    if request.deps.registration_open:
        return
    headers = request.headers.getall("authorization", ())
    caller = None
    if headers:
        caller, _ = await authenticate(request.deps, read_token(headers), counter="", limit=0, now=now())
    if caller is None or not caller.is_admin or caller.scopes is not None:
        raise Forbidden("only an admin creates users here", code="registration_closed")


def require_self(request: Request, user_id: int) -> None:
    """Whether a path's user is the caller.

    :raises Forbidden: it is another, existing or not
    """
    if user_id != request.user_id:
        raise Forbidden("only the user itself may do this", code="not_yours")


def read_token(headers: Sequence[str]) -> str:
    """The token of `Authorization: Bearer <token>` or the bare `Authorization: <token>`."""
    if len(headers) != 1:
        raise Unauthorized("this needs one Authorization header with a token")
    scheme, _, token = headers[0].strip().partition(" ")
    if token and scheme.lower() == "bearer":
        return token.strip()
    if token or not scheme or scheme.lower() == "bearer":
        raise Unauthorized("the Authorization header must be Bearer and a token, or the token alone")
    return scheme


def check_rights(caller: Caller, *, scope: str | None, admin: bool) -> None:
    if caller.scopes is not None and scope not in caller.scopes:
        needed = f"the scope {scope}" if scope else "a token: keys are not taken"
        raise Forbidden(f"this needs {needed}", code="out_of_scope")
    if admin and not caller.is_admin:
        raise Forbidden("this is for admins", code="admins_only")
