"""Stores live visits: each id once, with the roll-ups, carts and goods that are derived from them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from clients.geo import public_address
from db.database import Database, Transaction, raw_connection
from db.locks import lock_writers_shared
from db.queries import live_visits as queries
from db.queries.countries import select_countries
from db.queries.live_visits import Inserted, LiveRow, Missing
from db.queries.names import insert_names
from telemetry.metrics import count_ingested

Status = Literal["created", "duplicate", "conflict"]


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit as it is shown, live or of a log. (timestamp, id) orders visits and tells them apart.

    Its fields are the columns of `list_live_visits.sql` and `live_visits.sql`.
    """

    id: str
    timestamp: datetime
    page_url: str
    user_id: int | None
    country: str | None
    source: str
    kind: str
    category: str | None
    product: str | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a visit. `visit` is the one stored under its id.

    `page_visits` is the number of visits of its page, if it was created and its page is counted.
    """

    status: Status
    visit: Visit
    page_visits: int | None = None


async def store_live_visits(db: Database, rows: Sequence[LiveRow]) -> list[Outcome]:
    """Store the visits whose ids are new, of several with one id the first. Return the outcomes, in order.

    A stored visit with the same id, page, user and (if given) time makes a visit a duplicate, any other one
    with the same id a conflict.
    """
    first: dict[str, LiveRow] = {}
    for row in rows:
        first.setdefault(row.request_id, row)
    page_visits = await insert_rows(db, list(first.values()))
    count_ingested("visits", len(page_visits))
    new = {
        id(row) for key, row in first.items() if key in page_visits
    }  # by identity: several may have one id
    ids = {row.request_id for row in rows if id(row) not in new or may_have_country(row)}
    visits = await select_visits(db, ids) if ids else {}
    outcomes = []
    for row in rows:
        if id(row) in new:
            visit = visits.get(row.request_id) or visit_of(row)
            outcomes.append(Outcome("created", visit, page_visits[row.request_id]))
        else:
            visit = visits[row.request_id]
            outcomes.append(Outcome("duplicate" if is_same(row, visit) else "conflict", visit))
    return outcomes


async def select_visits(db: Database, ids: Collection[str]) -> dict[str, Visit]:
    """Return the live visits of these ids, by id."""
    async with db.read() as session:
        rows = await queries.select_live_visits(session, sorted(ids))
    return {visit.id: visit for visit in (Visit(*row) for row in rows)}


def visit_of(row: LiveRow) -> Visit:
    """Return the visit as a SELECT would return it."""
    return Visit(
        id=row.request_id,
        timestamp=row.occurred_at,
        page_url=row.page_url,
        user_id=row.user_id,
        country=row.country,
        source=row.source,
        kind=row.kind,
        category=row.category,
        product=row.product,
    )


def is_same(row: LiveRow, visit: Visit) -> bool:
    """Return whether a client sends a visit again. A time that the client does not give may differ."""
    return (
        visit.page_url == row.page_url
        and visit.user_id == row.user_id
        and (visit.timestamp == row.occurred_at or not row.is_dated)
    )


async def insert_rows(db: Database, rows: Sequence[LiveRow]) -> Inserted:
    """Insert the visits whose ids are new, all in one transaction, after the names that they need."""
    infer_goods = any(row.cart_id is not None for row in rows)
    while True:
        match await try_insert(db, rows, infer_goods=infer_goods):
            case Missing.NAMES:
                pages = [(name, row.product) for row in rows if (name := row.category) is not None]
                async with db.transaction() as session:
                    await insert_names(session, pages)
            case Missing.GOODS:
                infer_goods = True
            case page_visits:
                return page_visits


async def try_insert(db: Database, rows: Sequence[LiveRow], *, infer_goods: bool) -> Inserted | Missing:
    """Insert the visits whose ids are new, or nothing if something is missing.

    :param infer_goods: infer goods from the visits too
    """
    if not infer_goods and not any(map(may_have_country, rows)):
        async with db.raw() as raw:
            return await queries.insert_live_visits(raw, rows, infer_goods=False)
    async with db.transaction() as session:
        rows = await set_countries(session, rows)
        raw = await raw_connection(session)
        result = await queries.insert_live_visits(raw, rows, infer_goods=infer_goods)
        if infer_goods and not isinstance(result, Missing):
            # polars starts threads as it is imported, and workers are forked from a process without any.
            from db.queries.carts import merge_live_visits

            await merge_live_visits(session, [row for row in rows if row.request_id in result])
        return result


def may_have_country(row: LiveRow) -> bool:
    """Return whether the visit has no country, but the database may know that of its address."""
    return row.country is None and row.address is not None and public_address(row.address) is not None


async def set_countries(session: Transaction, rows: Sequence[LiveRow]) -> Sequence[LiveRow]:
    """Set the countries that the database knows. The backfill waits until the transaction ends."""
    addresses = sorted({row.address for row in rows if row.address is not None and may_have_country(row)})
    if not addresses:
        return rows
    await lock_writers_shared(session)
    countries = await select_countries(session, addresses)
    return [
        replace(row, country=countries.get(row.address)) if row.address and may_have_country(row) else row
        for row in rows
    ]
