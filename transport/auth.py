"""Admits a request or refuses it: authentication, rate limit, and the rights that a route requires."""

import hmac
from collections.abc import Sequence

import structlog

from clock import now
from service.accounts.authentication import Caller, authenticate, is_share_key
from service.errors import Forbidden, Unauthorized
from transport.limits import enforce, limit_by_address, limit_sign_ups, route_policy, user_counter
from transport.request import Request
from transport.shares import check_share


async def admit(request: Request) -> None:
    """Authenticate the caller, count the request, and check the caller's rights.

    Routes are private. `ctx_public=True` opens one to everybody, `ctx_admin=True` closes it to all but
    admins, and `ctx_scope="reports:read"` opens it to API keys of that scope. `ctx_share="report"` opens it
    to keys of shares, as far as transport/shares.py says.

    :raises Unauthorized: there is no token, or it is not valid
    :raises Forbidden: the caller may not use this route
    :raises TooMany: the caller's limit is used up
    """
    route = request.route_ctx
    policy = route_policy(request)
    if getattr(route, "public", False):
        await limit_by_address(request, policy)
        return
    try:
        token = read_token(request.headers.getall("authorization", ()))
        # Whoever has the key of a share must not use up the limit of its owner, nor of its other readers.
        limit = 0 if is_share_key(token) else policy.limit
        caller, allowance = await authenticate(
            request.deps, token, counter=user_counter(policy), limit=limit, now=now()
        )
    except Unauthorized:
        # Guessing tokens is limited too, by the address.
        await limit_by_address(request, policy)
        raise
    request.ctx.caller = caller
    request.ctx.user_id = caller.user_id
    structlog.contextvars.bind_contextvars(user_id=caller.user_id)
    if allowance is not None:
        enforce(request, policy, allowance)
    if caller.share is not None:
        await limit_by_address(request, policy)
        await check_share(request, caller.share)
        return
    check_rights(caller, scope=getattr(route, "scope", None), admin=getattr(route, "admin", False))


async def admit_sign_up(request: Request) -> None:
    """Check that the caller may create an account: anybody may, a few at a time; if closed, admins alone.

    :raises Unauthorized: registration is closed, and the token is not valid
    :raises Forbidden: registration is closed, and the caller is not an admin
    :raises TooMany: registration is open, and too many sign up from this address
    """
    if request.deps.registration_open:
        await limit_sign_ups(request)
        return
    headers = request.headers.getall("authorization", ())
    caller = None
    if headers:
        caller, _ = await authenticate(request.deps, read_token(headers), counter="", limit=0, now=now())
    if caller is None or not caller.is_admin or caller.scopes is not None:
        raise Forbidden("only an admin creates users here", code="registration_closed")
    request.ctx.user_id = caller.user_id  # the audit names the admin


def require_self(request: Request, user_id: int) -> None:
    """Check that the user in the path is the caller.

    :raises Forbidden: it is another user, whether there is one or not
    """
    if user_id != request.user_id:
        raise Forbidden("only the user concerned may do this", code="not_yours")


def require_admin(request: Request) -> None:
    """Check that the caller is an admin, where only a part of a route is for admins.

    :raises Forbidden: it is not
    """
    check_admin(request.caller)


def require_metrics_token(request: Request) -> None:
    """Check that the request has METRICS_TOKEN, if that is set.

    :raises Unauthorized: it has not
    """
    expected = request.http.metrics_token
    if expected is not None:
        token = read_token(request.headers.getall("authorization", ()))
        if not hmac.compare_digest(token.encode(errors="backslashreplace"), expected.encode()):
            raise Unauthorized("this needs METRICS_TOKEN as its token")


def may_see_metrics(request: Request) -> bool:
    """Return whether the caller may see metrics: METRICS_TOKEN is not set, or is the request's token."""
    try:
        require_metrics_token(request)
    except Unauthorized:
        return False
    return True


def read_token(headers: Sequence[str]) -> str:
    """Read the token of `Authorization: Bearer <token>` or the bare `Authorization: <token>`.

    :param headers: all Authorization headers of the request
    :raises Unauthorized: there is not exactly one header, or it holds no token
    """
    if len(headers) != 1:
        raise Unauthorized("this needs one Authorization header with a token")
    scheme, _, token = headers[0].strip().partition(" ")
    if token and scheme.lower() == "bearer":
        return token.strip()
    if token or not scheme or scheme.lower() == "bearer":
        raise Unauthorized("the Authorization header must be Bearer and a token, or the token alone")
    return scheme


def check_rights(caller: Caller, *, scope: str | None, admin: bool) -> None:
    """Check that a caller may use a route.

    :param scope: what an API key must hold; None for a route that takes no key
    :raises Forbidden: the key lacks the scope, or the caller is not the admin that the route requires
    """
    if caller.scopes is not None and scope not in caller.scopes:
        requirement = f"the scope {scope}" if scope else "a token: keys are not taken"
        raise Forbidden(f"this needs {requirement}", code="out_of_scope")
    if admin:
        check_admin(caller)


def check_admin(caller: Caller) -> None:
    """Check that a caller is an admin.

    :raises Forbidden: it is not
    """
    if not caller.is_admin:
        raise Forbidden("only admins may do this", code="admins_only")
