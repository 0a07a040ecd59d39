"""Rate limits: which one a route has, whose counter it is, and the headers that tell how it stands."""

from dataclasses import dataclass

from service.errors import TooMany
from service.security.rate_limits import WINDOW, Allowance, count_request, network
from transport.request import Request


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    limit: int  # requests in a window; 0 = none


UNLIMITED = Policy("default", 0)


def route_limit(request: Request) -> Policy:
    """The route's policy: `ctx_limit` is "none", "ingest" or, unless said, "default"."""
    name = getattr(request.route_ctx, "limit", "default")
    limits = request.deps.limits
    if name == "none":
        return UNLIMITED
    return Policy(name, limits.ingest if name == "ingest" else limits.default)


def user_counter(policy: Policy) -> str:
    """What a user's counter begins with; its id follows."""
    return f"rate:{policy.name}:user:"


def address_counter(request: Request, policy: Policy) -> str:
    """The counter of the client's address."""
    return f"rate:{policy.name}:address:{network(request.address)}"


async def limit_address(request: Request, policy: Policy) -> None:
    """Count a request of nobody in particular.

    :raises TooMany: its address has used its limit up
    """
    if policy.limit:
        counter = address_counter(request, policy)
        apply(request, policy, await count_request(request.deps.cache, counter, policy.limit))


def apply(request: Request, policy: Policy, allowance: Allowance) -> None:
    """Tell the client how it stands, whatever the answer will be.

    :raises TooMany: the limit is used up
    """
    request.ctx.headers["ratelimit-policy"] = f'"{policy.name}";q={policy.limit};w={WINDOW}'
    request.ctx.headers["ratelimit"] = f'"{policy.name}";r={allowance.remaining};t={allowance.reset}'
    if allowance.exceeded:
        raise TooMany(f"over {policy.limit} requests a minute", retry_after=allowance.reset)
