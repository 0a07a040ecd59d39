"""Stores live visits: each id once, with the roll-ups, carts and goods that are derived from them."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address
from typing import Literal

from clients.geo import public_address
from db.database import Database, Transaction
from db.locks import lock_writers_shared
from db.queries import live_visits as queries
from db.queries.countries import select_countries
from db.queries.live_visits import BOT, Inserted, LiveRow, Missing, Visit
from db.queries.merged_visits import select_merged_visits
from db.queries.names import insert_names
from db.sessions import raw_connection
from service.visits.agents import ensure_agents, ensure_referrers
from telemetry.metrics import count_ingested

Status = Literal["created", "duplicate", "conflict"]


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

    A stored visit with the same id, page, user and (if given) time, address, agent and referrer makes a visit
    a duplicate, any other one with the same id a conflict.
    """
    first: dict[str, LiveRow] = {}
    for row in rows:
        first.setdefault(row.request_id, row)
    inserted = await store_rows(db, list(first.values()))
    count_ingested("visits", len(inserted))
    new = {id(row) for key, row in first.items() if key in inserted}  # by identity: several may have one id
    ids = {row.request_id for row in rows if id(row) not in new}
    visits = await get_visits(db, ids) if ids else {}
    outcomes = []
    for row in rows:
        if id(row) in new:
            outcomes.append(Outcome("created", *inserted[row.request_id]))
        else:
            stored = visits[row.request_id]
            outcomes.append(Outcome("duplicate" if is_same(row, stored) else "conflict", stored.visit))
    return outcomes


async def store_new_visits(db: Database, rows: Sequence[LiveRow]) -> list[bool]:
    """Store visits whose ids were made here. Return whether each is new: nobody wants to know more."""
    inserted = await store_rows(db, rows)
    count_ingested("visits", len(inserted))
    return [row.request_id in inserted for row in rows]


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """A live visit, in a row or a part, with what is not shown of it."""

    visit: Visit
    address: str | None
    agent: str | None


async def get_visits(db: Database, ids: Collection[str]) -> dict[str, StoredVisit]:
    """Return the live visits of these ids, by id."""
    async with db.read() as session:
        rows = await queries.select_live_visits(session, sorted(ids))
        origins = await queries.select_origins(session, sorted(ids))
        # Of a visit that is merged in between the origin would be missing.
        missing = set(ids).difference(row.request_id for row in rows if row.request_id in origins)
        merged = await select_merged_visits(session, sorted(missing)) if missing else []
    visits = [Visit(*row) for row in rows]
    # A visit may be deleted in between.
    stored = {visit.id: StoredVisit(visit, *origins.get(visit.id, (None, None))) for visit in visits}
    return stored | {row.request_id: StoredVisit(Visit(*row[:-2]), *row[-2:]) for row in merged}


def is_same(row: LiveRow, stored: StoredVisit) -> bool:
    """Return whether a client sends a visit again. What the client does not give may differ, as the time."""
    visit = stored.visit
    return (
        visit.page_url == row.page_url
        and visit.user_id == row.user_id
        and (visit.timestamp == row.occurred_at or not row.is_dated)
        and (visit.referrer == row.referrer or "referrer" not in row.given)
        and (stored.agent == row.agent or "agent" not in row.given)
        and (is_same_address(stored.address, row.address) or "address" not in row.given)
    )


def is_same_address(one: str | None, other: str | None) -> bool:
    """Return whether addresses are the same: PostgreSQL writes some of IPv6 in another way."""
    if one is None or other is None:
        return one is other
    return one == other or ip_address(one) == ip_address(other)


async def store_rows(db: Database, rows: Sequence[LiveRow]) -> Inserted:
    """Insert the visits whose ids are new, all in one transaction, after the names that they need."""
    infer_goods = any(row.cart_id is not None for row in rows)
    while True:
        match await try_insert(db, rows, infer_goods=infer_goods):
            case Missing.NAMES:
                pages = [(name, row.product) for row in rows if (name := row.category) is not None]
                async with db.transaction() as session:
                    await insert_names(session, pages)
                await ensure_referrers(db, distinct(row.referrer for row in rows))
                await ensure_agents(db, distinct(row.agent for row in rows))
            case Missing.GOODS:
                infer_goods = True
            case inserted:
                return inserted


def distinct(texts: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text is not None))


async def try_insert(db: Database, rows: Sequence[LiveRow], *, infer_goods: bool) -> Inserted | Missing:
    """Insert the visits whose ids are new, or nothing if something is missing.

    :param infer_goods: infer goods from the visits too
    """
    if not infer_goods and not unknown_addresses(rows):
        async with db.raw() as raw:
            return await queries.insert_live_visits(raw, rows, infer_goods=False)
    async with db.transaction() as session:
        rows = await set_countries(session, rows)
        raw = await raw_connection(session)
        result = await queries.insert_live_visits(raw, rows, infer_goods=infer_goods)
        if infer_goods and not isinstance(result, Missing):
            # With numpy, which commands that store no visits do without.
            from db.queries.carts import merge_live_visits

            bots = {request_id for request_id, (visit, _) in result.items() if visit.traffic == BOT}
            await merge_live_visits(session, [row for row in rows if row.request_id in result], bots)
        return result


def lacks_country(row: LiveRow) -> bool:
    """Return whether the visit has no country, but perhaps an address of its own."""
    return row.country is None and not row.is_masked


def unknown_addresses(rows: Sequence[LiveRow]) -> set[str]:
    """Return the addresses of visits without a country, as far as the database may know theirs."""
    addresses = {row.address for row in rows if row.address is not None and lacks_country(row)}
    return {address for address in addresses if public_address(address) is not None}


async def set_countries(session: Transaction, rows: Sequence[LiveRow]) -> Sequence[LiveRow]:
    """Set the countries that the database knows. The backfill waits until the transaction ends."""
    addresses = unknown_addresses(rows)
    if not addresses:
        return rows
    await lock_writers_shared(session)
    countries = await select_countries(session, sorted(addresses))
    return [
        replace(row, country=countries.get(row.address))
        if row.address in addresses and lacks_country(row)
        else row
        for row in rows
    ]
