"""Rate limits: the policy of a route, the counter of a request, and the RateLimit headers."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from service.errors import TooMany
from service.security.rate_limits import (
    WINDOW,
    Allowance,
    count_crowd,
    count_request,
    network,
)
from transport.request import Request


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    limit: int  # requests in a window; 0 = none
    window: int = WINDOW  # seconds
    subject: str = "requests a minute"


UNLIMITED = Policy("default", 0)
# Of one address. A sign-up that the first refuses does not count for the second.
SIGN_UPS = (
    Policy("sign-up-minute", 5, WINDOW, "sign-ups a minute"),
    Policy("sign-up-hour", 20, 60 * WINDOW, "sign-ups an hour"),
)
# Of one address, for the two public routes together.
PASSWORD_RESETS = (
    Policy("password-minute", 5, WINDOW, "requests about passwords a minute"),
    Policy("password-hour", 20, 60 * WINDOW, "requests about passwords an hour"),
)


def route_policy(request: Request) -> Policy:
    """Find the route's policy: its `ctx_limit` is "none", "ingest" or, by default, "default".

    With "collect" the handler applies `collect_policy` itself, because it refuses nobody by an error.
    """
    name = getattr(request.route_ctx, "limit", "default")
    limits = request.deps.limits
    if name in ("none", "collect"):
        return UNLIMITED
    return Policy(name, limits.ingest if name == "ingest" else limits.default)


def collect_policy(request: Request) -> Policy:
    """Return the policy of views that pages report, which is off where the default one is."""
    limits = request.deps.limits
    return Policy("collect", limits.collect if limits.default else 0, subject="views a minute")


def user_counter(policy: Policy) -> str:
    """Name the counter of users under a policy, without the user's id that follows."""
    return f"rate:{policy.name}:user:"


def address_counter(request: Request, policy: Policy) -> str:
    """Name the counter of the client's address."""
    return f"rate:{policy.name}:address:{network(request.address)}"


async def limit_by_address(request: Request, policy: Policy) -> None:
    """Count a request that no user is charged for, and enforce the limit of its address.

    :raises TooMany: the limit is used up
    """
    if policy.limit:
        counter = address_counter(request, policy)
        enforce(request, policy, await count_request(request.deps.cache, counter, policy.limit))


async def is_over_collect_limit(request: Request) -> bool:
    """Count a view that a page reports. Return whether its address has used up its limit."""
    policy = collect_policy(request)
    if not policy.limit:
        return False
    counter = address_counter(request, policy)
    deps = request.deps
    allowance = deps.used_up_views.find(counter, policy.limit)
    if allowance is None:
        # Those that arrive while others are counted are counted together.
        count_all = partial(count_crowd, deps.cache, deps.used_up_views, policy.limit)
        allowance = await deps.view_counts.write(counter, count_all)
    tell_allowance(request, policy, allowance)
    return allowance.exceeded


async def limit_sign_ups(request: Request) -> None:
    """Count a sign-up, and enforce the limits of its address, unless the installation has no limits.

    :raises TooMany: a limit is used up
    """
    await limit_rare_requests(request, SIGN_UPS)


async def limit_password_resets(request: Request) -> None:
    """Count a request about a forgotten password, as `limit_sign_ups` counts sign-ups.

    :raises TooMany: a limit is used up
    """
    await limit_rare_requests(request, PASSWORD_RESETS)


async def limit_rare_requests(request: Request, policies: Sequence[Policy]) -> None:
    """Count a request, and enforce the limits of its address, unless the installation has no limits.

    :raises TooMany: a limit is used up
    """
    if not request.deps.limits.default:
        return
    for policy in policies:
        counter = address_counter(request, policy)
        allowance = await count_request(request.deps.cache, counter, policy.limit, policy.window)
        if allowance.exceeded:
            enforce(request, policy, allowance)


def enforce(request: Request, policy: Policy, allowance: Allowance) -> None:
    """Refuse a request over the limit, and tell what is left in headers of the response, whatever that is.

    :raises TooMany: the limit is used up
    """
    tell_allowance(request, policy, allowance)
    if allowance.exceeded:
        raise TooMany(f"over {policy.limit} {policy.subject}", retry_after=allowance.reset)


def tell_allowance(request: Request, policy: Policy, allowance: Allowance) -> None:
    """Tell what is left of a limit in headers of the response, whatever that is."""
    request.ctx.headers["ratelimit-policy"] = f'"{policy.name}";q={policy.limit};w={policy.window}'
    request.ctx.headers["ratelimit"] = f'"{policy.name}";r={allowance.remaining};t={allowance.reset}'
