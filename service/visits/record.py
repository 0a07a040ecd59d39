"""Visits as they happen: recorded one by one, many at once, and by looking at pages."""

import asyncio
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from clients.geo import Geo
from db.database import Database
from db.queries import live_visits
from service.deps import Deps
from service.errors import Conflict
from service.live_feed import count_stored
from service.visits.ids import RANDOM_BITS, new_visit_id
from service.visits.pages import page_of
from service.visits.queries import Visit, visit_of
from service.visits.store import LiveVisit, Status, store_live_visits

Randomness = Callable[[int], int]  # a number of so many random bits
PLACES_PER_MICROSECOND = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVisit:
    """What a client says of a visit; what it leaves out is None."""

    page_url: str
    timestamp: datetime | None = None
    user_id: int | None = None
    id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who visits, from where, and when we heard of it."""

    user_id: int
    address: str | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Verdict:
    status: Status
    visit: Visit


@dataclass(frozen=True, slots=True)
class PageView:
    page_url: str
    visits: int


async def record_visit(deps: Deps, visitor: Visitor, new: NewVisit, *, randomness: Randomness) -> Verdict:
    """Store a visit, or find it stored already. Raises Conflict if its id stands for another one."""
    [visit] = live_visits_of([new], visitor, "api", deps.geo, randomness)
    outcome = await deps.visit_batcher.write(visit, partial(store_live_visits, deps.db))
    if outcome.status == "conflict":
        raise Conflict(f"the id {visit.id} stands for another visit")
    count_stored(deps, visits=outcome.status == "created")
    return Verdict(outcome.status, visit_of(outcome.row))


async def record_visits(
    deps: Deps, visitor: Visitor, new: Sequence[NewVisit], *, randomness: Randomness
) -> list[Verdict]:
    """Store visits, all that are new or none. In their order, what became of each."""
    if not new:
        return []
    visits = await asyncio.to_thread(live_visits_of, new, visitor, "api", deps.geo, randomness)
    outcomes = await store_live_visits(deps.db, visits)
    count_stored(deps, visits=sum(outcome.status == "created" for outcome in outcomes))
    return [Verdict(outcome.status, visit_of(outcome.row)) for outcome in outcomes]


async def view_page(deps: Deps, visitor: Visitor, page_url: str, *, randomness: Randomness) -> PageView:
    """Store a visit of a page that is named by its path, and count those there were."""
    [visit] = live_visits_of([NewVisit(page_url=page_url)], visitor, "page", deps.geo, randomness)
    outcome = await deps.visit_batcher.write(visit, partial(store_live_visits, deps.db))
    assert outcome.page_visits is not None
    count_stored(deps, visits=1)
    return PageView(page_url, outcome.page_visits)


async def count_page(db: Database, page_url: str) -> PageView:
    """How often the page was viewed, with nothing recorded."""
    async with db.read() as session:
        return PageView(page_url, await live_visits.select_page_visits(session, page_url))


def live_visits_of(
    new: Sequence[NewVisit], visitor: Visitor, source: str, geo: Geo, randomness: Randomness
) -> list[LiveVisit]:
    """New visits with all that is known of them. Those of one instant keep the order in which they came."""
    country = None if visitor.address is None else geo.country(visitor.address)
    place = int(visitor.now.timestamp()) * 1_000_000 + visitor.now.microsecond
    return [
        LiveVisit(
            id=str(one.id or new_visit_id(visitor.now, randomness(RANDOM_BITS))),
            page_url=one.page_url,
            page=page_of(one.page_url),
            occurred_at=one.timestamp or visitor.now,
            timed=one.timestamp is not None,
            position=place * PLACES_PER_MICROSECOND + index,
            user_id=visitor.user_id if one.user_id is None else one.user_id,
            address=visitor.address,
            country=country,
            source=source,
        )
        for index, one in enumerate(new)
    ]
