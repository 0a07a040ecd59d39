"""Views of pages that sites report: anybody may send them, so most of what arrives may be wrong or too much.

Nothing here fails: each view has an outcome that is told. Views are stored in batches, apart from the visits
of programs, and so many wait at a time; more are dropped and counted.
"""

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal
from urllib.parse import urlsplit

from db.database import DATABASE_ERRORS
from db.outages import describe
from service.deps import Deps
from service.live_feed import count_stored
from service.visits.record import NewVisit, Randomness, Visitor, live_rows
from service.visits.sites import get_site_origins
from service.visits.store import store_new_visits
from telemetry.logs import PeriodicWarning

DEFAULT_PORTS = {"http": 80, "https": 443}
dropped_warning = PeriodicWarning("site_views_lost")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a view: ignored for what it is, dropped for lack of room. `detail` says why."""

    status: Literal["stored", "ignored", "dropped"]
    detail: str | None = None


STORED = Outcome("stored")
UNKNOWN_SITE = Outcome("ignored", "no site has this key")
WRONG_ORIGIN = Outcome("ignored", "the site takes no views from this origin")
WRONG_PAGE = Outcome("ignored", "the page is of another origin than the request")
FULL = Outcome("dropped", "too many views wait to be stored")
DROPPED = Outcome("dropped", "views can't be stored right now")


@dataclass(frozen=True, slots=True)
class SiteView:
    """A view as a page reports it: `origin` is the page's, as the browser says; None where it says none."""

    site: str
    page_url: str
    referrer: str | None
    origin: str | None


async def record_site_view(
    deps: Deps, visitor: Visitor, view: SiteView, *, randomness: Randomness
) -> Outcome:
    """Store a view of a page, if its site takes it. Return what became of it, once that is certain."""
    with deps.permits.site_views.take() as has_slot:
        if not has_slot:
            return FULL
        try:
            return await store_site_view(deps, visitor, view, randomness=randomness)
        except DATABASE_ERRORS as error:
            dropped_warning.log(cause=describe(error))
            return DROPPED


async def store_site_view(deps: Deps, visitor: Visitor, view: SiteView, *, randomness: Randomness) -> Outcome:
    """Store a view of a page, if its site takes it."""
    origins = (await get_site_origins(deps)).by_key.get(view.site)
    refusal = refuse(view, origins)
    if refusal is not None:
        return refusal
    visit = NewVisit(page_url=view.page_url.partition("#")[0], referrer=view.referrer or "")
    [row] = live_rows(deps, [visit], visitor, "site", randomness)
    await deps.site_batcher.write(row, partial(store_new_visits, deps.db))
    count_stored(deps, visits=1)
    return STORED


def refuse(view: SiteView, origins: frozenset[str] | None) -> Outcome | None:
    """Return why a view is not taken; None if it is.

    :param origins: those of its site; None if there is no such site
    """
    if origins is None:
        return UNKNOWN_SITE
    if view.origin not in origins:
        return WRONG_ORIGIN
    # The first is what most are, and needs no parser.
    is_own = view.page_url.startswith(("/", f"{view.origin}/")) or url_origin(view.page_url) == view.origin
    if not is_own:
        return WRONG_PAGE
    return None


@lru_cache(1024)  # a page is viewed again and again
def url_origin(url: str) -> str | None:
    """Return the origin of an http or https URL as a browser writes it.

    None for what has none, and for a URL with a password, which is nobody's page.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc:
        return None
    name = f"[{host}]" if ":" in host else host
    is_default = port in (None, DEFAULT_PORTS[parts.scheme])
    return f"{parts.scheme}://{name}" if is_default else f"{parts.scheme}://{name}:{port}"


async def is_site_origin(deps: Deps, origin: str | None) -> bool:
    """Return whether any site has pages of this origin."""
    try:
        return origin in (await get_site_origins(deps)).all
    except DATABASE_ERRORS as error:
        dropped_warning.log(cause=describe(error))
        return False
