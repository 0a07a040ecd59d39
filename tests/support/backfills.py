"""Countries of addresses that become known later, for tests."""

from collections.abc import Mapping
from dataclasses import replace

from db.queries.live_visits import LiveRow
from service.visits.store import store_live_visits
from tests.support.log_imports import Importer

# By the address as services know it. Others of the test logs are private or multicast.
PUBLIC = {"8.8.8.8": "US", "121.165.118.201": "KR", "2001:4860:4860::8888": "NL", "8.8.4.4": "US"}
ADDRESS_COUNTRIES = "SELECT host(address), country, asked_at IS NOT NULL FROM address ORDER BY 1"


class Table:
    """Country data of a few addresses."""

    def __init__(self, countries: Mapping[str, str]) -> None:
        self._countries = countries

    def country(self, address: str) -> str | None:
        return self._countries.get(address)


async def store_live(shop: Importer, live: list[list[LiveRow]]) -> None:
    for batch in live:
        rows = [replace(row, country=row.address and shop.geo.country(row.address)) for row in batch]
        await store_live_visits(shop.db, rows)
