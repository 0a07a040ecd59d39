"""Stores live visits: each id once, with the roll-ups, carts and goods that follow from it.

Names of categories and products are made before and for good, in a transaction of their own: nobody waits
for a visit because of a name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from clients.geo import public_address
from db.database import Database, Transaction, raw_connection
from db.locks import lock_writers_shared
from db.queries import live_visits as queries
from db.queries.countries import select_countries
from db.queries.live_visits import LiveRow, Stored
from db.queries.visit_list import VisitRow
from service.logs.shop_format import Page
from service.visits.pages import is_bare_path
from telemetry.metrics import count_ingested

Status = Literal["created", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class LiveVisit:
    """A visit on its way in. `timed`: the client gave its time, which then tells it from others of its id."""

    id: str
    page_url: str
    page: Page
    occurred_at: datetime
    timed: bool
    position: int
    user_id: int
    address: str | None
    country: str | None
    source: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a visit. `row` is what is stored under its id; `page_visits` is told of new ones."""

    status: Status
    row: VisitRow
    page_visits: int | None = None


async def store_live_visits(db: Database, visits: Sequence[LiveVisit]) -> list[Outcome]:
    """Store each visit whose id is not known yet, the first of those with one id. Tells of each, in order.

    An id known with the same page, user and (if given) time is a duplicate; any other is a conflict.
    """
    first: dict[str, LiveVisit] = {}
    for visit in visits:
        first.setdefault(visit.id, visit)
    told = await insert_visits(db, list(first.values()))
    created = {id(visit): told[key] for key, visit in first.items() if told[key].created}
    others = {visit.id for visit in visits if id(visit) not in created or is_unlocated(visit)}
    known: dict[str, VisitRow] = {}
    if others:
        async with db.read() as session:
            known = await queries.select_live_visits(session, sorted(others))
    return [
        Outcome("created", known.get(visit.id) or row_of(visit), created[id(visit)].page_visits)
        if id(visit) in created
        else compare(visit, known[visit.id])
        for visit in visits
    ]


def compare(visit: LiveVisit, row: VisitRow) -> Outcome:
    same = (
        row.page_url == visit.page_url
        and row.user_id == visit.user_id
        and (row.occurred_at == visit.occurred_at or not visit.timed)
    )
    return Outcome("duplicate" if same else "conflict", row)


async def insert_visits(db: Database, visits: Sequence[LiveVisit]) -> dict[str, Stored]:
    """Insert those whose ids are new, all in one transaction. By id, what became of them."""
    rows = [live_row(visit) for visit in visits]
    cart_lines = any(row.cart_id is not None for row in rows)
    told = await insert_rows(db, rows, learning=cart_lines)
    if not told:
        pages = {(visit.page.category, visit.page.product) for visit in visits}
        async with db.transaction() as session:
            await queries.insert_page_names(session, sorted_pages(pages))
        told = await insert_rows(db, rows, learning=cart_lines)
    told = told or await insert_rows(db, rows, learning=True)
    count_ingested("visits", sum(stored.created for stored in told.values()))
    return told


def sorted_pages(pages: set[tuple[str | None, str | None]]) -> list[tuple[str, str | None]]:
    named = [(category, product) for category, product in pages if category is not None]
    return sorted(named, key=lambda page: (page[0], page[1] or ""))


async def insert_rows(db: Database, rows: Sequence[LiveRow], *, learning: bool) -> dict[str, Stored]:
    """Empty if a name has no id yet, or goods must be learned and are not: nothing is stored then."""
    if not learning and not any(map(is_unlocated, rows)):
        async with db.raw() as driver:
            return await queries.insert_live_visits(driver, rows, learning=False)
    async with db.transaction() as session:
        rows = await locate(session, rows)
        told = await queries.insert_live_visits(await raw_connection(session), rows, learning=learning)
        if learning:
            new = [row for row in rows if row.request_id in told and told[row.request_id].created]
            await merge_carts(session, new)
        return told


def is_unlocated(visit: LiveVisit | LiveRow) -> bool:
    """Whether the visit has no country, and its address might."""
    return visit.country is None and visit.address is not None and public_address(visit.address) is not None


async def locate(session: Transaction, rows: Sequence[LiveRow]) -> Sequence[LiveRow]:
    """The rows with the countries that their addresses have been given since: nobody gives any meanwhile."""
    lost = sorted({row.address for row in rows if row.address is not None and is_unlocated(row)})
    if not lost:
        return rows
    await lock_writers_shared(session)
    found = await select_countries(session, lost)
    return [
        replace(row, country=found.get(row.address)) if row.address and is_unlocated(row) else row
        for row in rows
    ]


async def merge_carts(session: Transaction, rows: Sequence[LiveRow]) -> None:
    """Merge new cart, pay and success pages into carts, as the importer does with lines.

    Goods are learned from them too, and from the product pages that came with them.
    """
    # polars starts threads as it is imported, and workers are forked from a process that must have none.
    import polars as pl

    from db.queries.carts import merge_visits

    lines = [row for row in rows if row.cart_id is not None or row.kind == "product"]
    if not lines:
        return
    await merge_visits(
        session,
        pl.DataFrame(
            {
                "occurred_at": [row.occurred_at for row in lines],
                "position": [row.position for row in lines],
                "source": [row.source for row in lines],
                "kind": [row.kind for row in lines],
                "address": pl.Series([row.address for row in lines], dtype=pl.String),
                "user_id": pl.Series([row.buyer_id for row in lines], dtype=pl.Int64),
                "cart_id": pl.Series([row.cart_id for row in lines], dtype=pl.Int64),
                "request_id": [row.request_id for row in lines],
                "import_id": pl.Series([None for _ in lines], dtype=pl.Int64),
                "goods_id": pl.Series([row.goods_id for row in lines], dtype=pl.Int64),
                "amount": pl.Series([row.amount for row in lines], dtype=pl.Int64),
            }
        ),
    )


def live_row(visit: LiveVisit) -> LiveRow:
    page = visit.page
    return LiveRow(
        request_id=visit.id,
        occurred_at=visit.occurred_at,
        position=visit.position,
        source=visit.source,
        kind=page.kind,
        address=visit.address,
        country=visit.country,
        category=None if page.category is None else queries.digest(page.category),
        product=None if page.product is None else queries.digest(page.product),
        user_id=visit.user_id,
        cart_id=page.cart_id,
        goods_id=page.goods_id,
        amount=page.amount,
        buyer_id=page.user_id,
        page_url=visit.page_url,
        page_sha256=queries.digest(visit.page_url) if is_bare_path(visit.page_url) else None,
    )


def row_of(visit: LiveVisit) -> VisitRow:
    """The visit as it would be read back."""
    return VisitRow(
        request_id=visit.id,
        occurred_at=visit.occurred_at,
        page_url=visit.page_url,
        user_id=visit.user_id,
        country=visit.country,
        source=visit.source,
        kind=visit.page.kind,
        category=visit.page.category,
        product=visit.page.product,
    )
