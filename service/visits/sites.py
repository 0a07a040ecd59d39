"""Sites that record views of their pages: made and deleted by admins, known to each worker from a cache."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Database
from db.locks import lock_sites
from db.models import Site
from db.queries import sites as queries
from db.queries.auth_events import Origin, insert_own_event
from service.deps import Deps
from service.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class SiteLimits:
    """How many sites there are at most: each worker keeps the origins of all in memory."""

    sites: int = 1000


LIMITS = SiteLimits()


@dataclass(frozen=True, slots=True)
class SiteOrigins:
    """The origins of sites, by their keys, and those of all: each view asks for both."""

    by_key: dict[str, frozenset[str]]
    all: frozenset[str]


async def create_site(
    deps: Deps,
    *,
    name: str,
    origins: Sequence[str],
    secret: bytes,
    origin: Origin,
    limits: SiteLimits = LIMITS,
) -> Site:
    """Create a site, whose key is made of random bytes. Other workers know it a moment later.

    :raises Conflict: there are as many as there may be
    """
    key = base64.urlsafe_b64encode(secret).decode().rstrip("=")
    async with deps.db.transaction() as session:
        await lock_sites(session)
        if await queries.count_sites(session) >= limits.sites:
            raise Conflict(f"there may be {limits.sites} sites; delete some first", code="quota_exceeded")
        site = await queries.insert_site(session, key=key, name=name, origins=origins, created_at=origin.at)
        await insert_own_event(session, "site_created", origin)
    deps.sites.expire()
    return site


async def list_sites(db: Database, *, after: tuple[int] | None, limit: int, offset: int) -> list[Site]:
    """List the sites, newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_sites(session, after=after, limit=limit + 1, offset=offset)


async def delete_site(deps: Deps, site_id: int, origin: Origin) -> None:
    """Delete a site; its visits stay. Other workers record no more a moment later.

    :raises NotFound: there is no such site
    """
    async with deps.db.transaction() as session:
        if not await queries.delete_site(session, site_id):
            raise NotFound(f"no site {site_id}")
        await insert_own_event(session, "site_deleted", origin)
    deps.sites.expire()


async def get_site_origins(deps: Deps) -> SiteOrigins:
    """Return the origins of all sites, as they were a moment ago."""

    async def read() -> SiteOrigins:
        async with deps.db.read() as session:
            by_key = await queries.select_site_origins(session)
        return SiteOrigins(by_key, frozenset().union(*by_key.values()))

    origins: SiteOrigins = await deps.sites.get(read)
    return origins
