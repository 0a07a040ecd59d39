"""A server whose country data know nothing, and ipinfo's stand-in, which knows some addresses."""

from collections.abc import AsyncIterator

import pytest

from clients.geo import Geo
from db.database import Database
from tests.support.backfills import PUBLIC, Table
from tests.support.ipinfo_service import FakeIpInfo, play_ipinfo
from tests.support.log_imports import Importer


@pytest.fixture
async def ipinfo() -> AsyncIterator[FakeIpInfo]:
    async with play_ipinfo() as fake:
        fake.countries = PUBLIC
        yield fake


@pytest.fixture
def ignorant(committed_db: Database) -> Importer:
    """Whose data know no address."""
    return Importer(committed_db, Geo(Table({})))
