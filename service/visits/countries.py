"""Backfills countries: a service is asked for the addresses that the data on disk do not know.

When the service knows an address, its live visits get the country, and so do the roll-ups that count by
country: as if it had been known when the visits were stored. In the end the address itself gets it: visits in
parts have it from there, and those that are stored later. The service is not asked twice for an address that
it does not know.

One worker of all servers does it: the one that holds the lock. If it dies, another asks again for the
addresses whose visits are not all done.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from clients.geo import public_address
from clients.ipinfo import MAX_ADDRESSES, TokenRefused
from clients.upstream import UpstreamError
from clock import Clock
from db.database import Database
from db.locks import COUNTRIES
from db.queries import countries as queries
from db.queries import visits
from db.queries.addresses import select_address_ids
from db.queries.visits_of_addresses import VisitsOfAddresses
from service.background import Schedule, run_periodically
from service.visits.pacing import LIMITS, AdaptiveBatch

log = structlog.get_logger("trawl.countries")

SCHEDULE = Schedule(every=10.0, retry=60.0)


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """Addresses in a request, visits in a batch, and seconds: to wait for an answer, and before a retry."""

    addresses: int = MAX_ADDRESSES
    visits: int = LIMITS.visits
    timeout: float = 20.0
    retry: float = 60.0
    retry_refused: float = 3600.0  # after the service refused the token


OPTIONS = BackfillOptions()


class CountryService(Protocol):
    """A service that knows countries of public addresses."""

    async def fetch_countries(self, addresses: Sequence[str], *, within: float) -> Mapping[str, str | None]:
        """Return the ISO code of each address, or None.

        :raises UpstreamError: the service fails
        """


async def backfill_countries(
    db: Database, service: CountryService, *, clock: Clock, schedule: Schedule = SCHEDULE
) -> None:
    """Backfill the countries of new addresses, until cancelled."""

    async def is_due() -> bool:
        async with db.read() as session:
            return bool(await queries.select_addresses_to_ask(session, count=1))

    work = partial(backfill_all, db, service, clock=clock)
    await run_periodically(
        db, work, schedule, lock=COUNTRIES, is_due=is_due, failure_event="countries_postponed"
    )


async def backfill_all(
    db: Database, service: CountryService, *, clock: Clock, options: BackfillOptions = OPTIONS
) -> None:
    """Backfill the countries of all addresses, pausing where the service fails. The caller holds the lock."""
    while True:
        try:
            if not await backfill_batch(db, service, clock=clock, options=options):
                return
        except TokenRefused as error:
            log_refused_token(error)
            await asyncio.sleep(options.retry_refused)
        except UpstreamError as error:
            log.warning("countries_unavailable", cause=str(error))
            await asyncio.sleep(options.retry)


def log_refused_token(error: TokenRefused) -> None:
    log.error("ipinfo_token_refused", status=error.status, mend=f"the setting IPINFO_TOKEN: {error.cause}")


async def backfill_batch(
    db: Database, service: CountryService, *, clock: Clock, options: BackfillOptions = OPTIONS
) -> bool:
    """Ask the service for some addresses, and set the countries that it knows; False if there are none.

    :raises UpstreamError: the service fails
    """
    async with db.read() as session:
        addresses = await queries.select_addresses_to_ask(session, count=options.addresses)
    if not addresses:
        return False
    public = {each: address for each in addresses if (address := public_address(each)) is not None}
    response: Mapping[str, str | None] = {}
    if public:
        response = await service.fetch_countries(sorted(set(public.values())), within=options.timeout)
    countries = {
        each: country for each, address in public.items() if (country := response.get(address)) is not None
    }
    start = time.perf_counter()
    visit_count = await set_countries(db, countries, clock=clock, most=options.visits) if countries else 0
    async with db.transaction() as session:
        await queries.mark_asked(session, [each for each in addresses if each not in countries], at=clock())
    log.info(
        "countries",
        kind="complete_countries",
        status="done",
        asked=len(public),
        known=len(countries),
        visits=visit_count,
        duration_ms=round((time.perf_counter() - start) * 1000, 2),
    )
    return True


async def set_countries(db: Database, countries: Mapping[str, str], *, clock: Clock, most: int) -> int:
    """Set the countries of addresses: on their live visits, then on the addresses, from which those in parts
    have theirs. Return the number of visits.

    :param most: live visits in a batch
    """
    total, batch = 0, AdaptiveBatch(1000, most)
    async with db.read() as session:
        address_ids = await select_address_ids(session, list(countries))
    # One that is deleted and inserted again meanwhile is asked for again.
    countries_by_id = {address_id: countries[address] for address, address_id in address_ids.items()}
    in_parts = VisitsOfAddresses(countries_by_id)
    async with db.read() as session:
        await in_parts.read(session)
    while True:
        count = batch.rows
        async with batch.exclusive(db) as session:
            rows = await queries.set_visit_countries(session, countries, count=count)
            await visits.add_to_country_rollups(session, rows)
            if len(rows) < count:
                total += await in_parts.count_with_countries(session)
                await queries.set_address_countries(session, countries_by_id, at=clock())
        total += len(rows)
        if len(rows) < count:
            return total
