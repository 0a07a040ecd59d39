"""Visits as they happen: recorded one by one, many at once, and by views of pages."""

import asyncio
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from db.database import Database
from db.queries.live_visits import LiveRow, select_page_visits
from page_urls import normal_url
from service.deps import Deps
from service.errors import Conflict
from service.live_feed import count_stored
from service.logs.address_masks import mask_some
from service.visits.agents import stored_text
from service.visits.pages import is_bare_path, parse_page
from service.visits.queries import find_log_line_ids
from service.visits.store import Outcome, Status, store_live_visits

Randomness = Callable[[int], int]  # returns a number of so many random bits
POSITIONS_PER_MICROSECOND = 1000
RANDOM_BITS = 74  # of a new id
VISITING_AGENT = re.compile(r"(?i:Mozilla|Opera)/|.*https?://", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVisit:
    """What a client says of a visit; what it leaves out is None."""

    page_url: str
    timestamp: datetime | None = None
    user_id: int | None = None
    id: uuid.UUID | None = None
    address: str | None = None
    agent: str | None = None
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends visits, from which address, and when; with the agent and referrer of the request.

    Of a site's page nobody knows who.
    """

    user_id: int | None
    address: str | None
    now: datetime
    agent: str | None = None
    referrer: str | None = None


@dataclass(frozen=True, slots=True)
class PageView:
    page_url: str
    visits: int


async def record_visit(deps: Deps, visitor: Visitor, new: NewVisit, *, randomness: Randomness) -> Outcome:
    """Store a visit; a duplicate changes nothing.

    :raises Conflict: another visit has its id
    """
    [row] = live_rows(deps, [new], visitor, "api", randomness)
    another = f"the id {row.request_id} stands for another visit"
    if new.id is not None and await find_log_line_ids(deps.db, deps.columns, [new.id]):
        raise Conflict(another)
    outcome: Outcome = await deps.visit_batcher.write(row, partial(store_live_visits, deps.db))
    if outcome.status == "conflict":
        raise Conflict(another)
    count_stored(deps, visits=outcome.status == "created")
    return outcome


async def record_visits(
    deps: Deps, visitor: Visitor, new: Sequence[NewVisit], *, randomness: Randomness
) -> list[Status]:
    """Store visits, all that are new in one transaction. Return what became of them, in order."""
    rows = await asyncio.to_thread(live_rows, deps, new, visitor, "api", randomness)
    given = [visit.id for visit in new if visit.id is not None]
    lines = {str(visit_id) for visit_id in await find_log_line_ids(deps.db, deps.columns, given)}
    live = [row for row in rows if row.request_id not in lines]
    outcomes = iter(await store_live_visits(deps.db, live) if live else [])
    statuses: list[Status] = [
        "conflict" if row.request_id in lines else next(outcomes).status for row in rows
    ]
    count_stored(deps, visits=statuses.count("created"))
    return statuses


async def view_page(deps: Deps, visitor: Visitor, page_url: str, *, randomness: Randomness) -> PageView:
    """Store a visit of a page that is named by its path, and return its count with this visit."""
    [row] = live_rows(deps, [NewVisit(page_url=page_url)], visitor, "page", randomness)
    outcome: Outcome = await deps.visit_batcher.write(row, partial(store_live_visits, deps.db))
    assert outcome.page_visits is not None
    count_stored(deps, visits=1)
    return PageView(row.page_url, outcome.page_visits)


async def count_page(db: Database, page_url: str) -> PageView:
    """Return the count of a page, and store nothing."""
    page_url = normal_url(page_url)
    async with db.read() as session:
        return PageView(page_url, await select_page_visits(session, page_url))


def new_visit_id(now: datetime, random: int) -> uuid.UUID:
    """Return a UUID of version 7, which begins with its time; `random` has RANDOM_BITS bits."""
    milliseconds = int(now.timestamp() * 1000)
    high, low = random >> 62, random & (1 << 62) - 1
    return uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)


def own_agent(agent: str | None) -> str | None:
    """Return the agent of a request if the caller may be the visitor: a browser, or a crawler with its URL.

    Any other is a program that reports visits, as a shop's server does: it says nothing of the visitor.
    """
    return agent if agent is not None and VISITING_AGENT.match(agent) else None


def text_or_none(text: str | None) -> str | None:
    """Return an agent or referrer as it is stored; None for an empty one: the visitor has none."""
    return stored_text(text) if text else None


def live_rows(
    deps: Deps, new: Sequence[NewVisit], visitor: Visitor, source: str, randomness: Randomness
) -> list[LiveRow]:
    """Make the rows of visits: with their visitor, country and page, and positions that keep their order."""
    microseconds = int(visitor.now.timestamp()) * 1_000_000 + visitor.now.microsecond
    rows, mask = [], deps.logs.address_mask
    for index, visit in enumerate(new):
        page_url = normal_url(visit.page_url)
        page = parse_page(page_url, deps.logs.rules)
        address = visit.address or visitor.address
        row = LiveRow(
            request_id=str(visit.id or new_visit_id(visitor.now, randomness(RANDOM_BITS))),
            is_id_given=visit.id is not None,
            occurred_at=visit.timestamp or visitor.now,
            is_dated=visit.timestamp is not None,
            position=microseconds * POSITIONS_PER_MICROSECOND + index,
            source=source,
            page_url=page_url,
            counts_page=is_bare_path(page_url),
            address=mask_some(address, mask),
            country=None if address is None else deps.geo.country(address),
            is_masked=mask > 0,
            user_id=visitor.user_id if visit.user_id is None else visit.user_id,
            kind=page.kind,
            category=page.category,
            product=page.product,
            cart_id=page.cart_id,
            goods_id=page.goods_id,
            amount=page.amount,
            buyer_id=page.user_id,
            referrer=text_or_none(visitor.referrer if visit.referrer is None else visit.referrer),
            agent=text_or_none(own_agent(visitor.agent) if visit.agent is None else visit.agent),
            given=[name for name in ("address", "agent", "referrer") if getattr(visit, name) is not None],
        )
        rows.append(row)
    return rows
