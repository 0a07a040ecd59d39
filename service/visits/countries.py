"""Completes countries: addresses that the data on disk do not know are asked for at a service.

When the country of an address is told, its visits get it, and the roll-ups that count by country with them:
as if it had been known when they were stored. Then the address keeps it, and visits that are stored later
take it from there. What the service does not know is not asked again.

One worker does it, over all nodes: the one that has the lock. If it dies, another asks again for those
whose visits are not all done.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

import polars as pl
import structlog

from clients.geo import public_address
from clients.ipinfo import MOST, TokenRefused
from clients.upstream import UpstreamError
from db.database import Database
from db.locks import COUNTRIES
from db.queries import countries as queries
from db.queries import visits
from service.background import Schedule, run_periodically
from service.clock import Clock
from service.visits.pacing import AdaptiveBatch

log = structlog.get_logger("trawl.countries")

VISITS_TOGETHER = 20_000
SCHEDULE = Schedule(every=10.0, retry=60.0)
# Seconds.
RETRY_SECONDS = 60.0
REFUSED_SECONDS = 3600.0
ANSWER_WITHIN = 20.0

CHANGED: dict[str, pl.DataType | type[pl.DataType]] = {
    "occurred_at": pl.Datetime("us", "UTC"),
    "source": pl.String,
    "kind": pl.String,
    "category_id": pl.Int32,
    "country": pl.String,
}


class CountryService(Protocol):
    """Who can be asked for the countries of public addresses. Raises UpstreamErrors."""

    async def countries(self, addresses: Sequence[str], *, within: float) -> Mapping[str, str | None]: ...


async def keep_completing(
    db: Database, service: CountryService, *, clock: Clock, schedule: Schedule = SCHEDULE
) -> None:
    """Look for addresses to ask for, for ever."""

    async def is_due() -> bool:
        async with db.read() as session:
            return bool(await queries.select_unasked(session, count=1))

    work = partial(complete_all, db, service, clock=clock)
    await run_periodically(
        db, work, schedule, lock=COUNTRIES, is_due=is_due, failure_event="countries_postponed"
    )


async def complete_all(db: Database, service: CountryService, *, clock: Clock) -> None:
    """Ask for all addresses, with pauses where the service fails. The caller holds the lock."""
    while True:
        try:
            if not await complete_some(db, service, clock=clock):
                return
        except TokenRefused as error:
            tell_refused(error)
            await asyncio.sleep(REFUSED_SECONDS)
        except UpstreamError as error:
            log.warning("countries_unavailable", cause=str(error))
            await asyncio.sleep(RETRY_SECONDS)


def tell_refused(error: TokenRefused) -> None:
    log.error("ipinfo_token_refused", status=error.status, mend=f"the setting IPINFO_TOKEN: {error.cause}")


async def complete_some(db: Database, service: CountryService, *, clock: Clock) -> bool:
    """Ask for some addresses, and complete what they tell. False if there are none."""
    async with db.read() as session:
        addresses = await queries.select_unasked(session, count=MOST)
    if not addresses:
        return False
    asked = {address: public for address in addresses if (public := public_address(address)) is not None}
    answer = await service.countries(sorted(set(asked.values())), within=ANSWER_WITHIN) if asked else {}
    known = {
        address: country for address, public in asked.items() if (country := answer.get(public)) is not None
    }
    began = time.perf_counter()
    changed = await complete(db, known, clock=clock) if known else 0
    async with db.transaction() as session:
        await queries.mark_asked(session, [each for each in addresses if each not in known], at=clock())
    log.info(
        "countries",
        kind="complete_countries",
        status="done",
        asked=len(asked),
        known=len(known),
        visits=changed,
        duration_ms=round((time.perf_counter() - began) * 1000, 2),
    )
    return True


async def complete(db: Database, known: Mapping[str, str], *, clock: Clock) -> int:
    """Give the visits of addresses, and then the addresses, their countries. How many visits there were."""
    changed, batch = 0, AdaptiveBatch(1000, VISITS_TOGETHER)
    while True:
        count = batch.rows
        async with batch.exclusive(db) as session:
            rows = await queries.locate_visits(session, known, count=count)
            await visits.add_to_country_rollups(session, pl.DataFrame(rows, schema=CHANGED))
            if len(rows) < count:
                await queries.locate_addresses(session, known, at=clock())
        changed += len(rows)
        if len(rows) < count:
            return changed
