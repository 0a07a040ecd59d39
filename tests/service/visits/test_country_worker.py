"""The background worker that asks for countries: one of all, with pauses after failures, for ever."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import pytest

from clients.ipinfo import IpInfo
from db.locks import COUNTRIES, try_lock
from db.queries import countries as queries
from service.background import Schedule
from service.visits.countries import backfill_batch, backfill_countries
from tests.support.backfills import ADDRESS_COUNTRIES, store_live
from tests.support.ipinfo_service import TOKEN, FakeIpInfo
from tests.support.live_cases import live_row
from tests.support.log_imports import NOW, Importer
from tests.support.processes import PATIENCE


@asynccontextmanager
async def backfilling(shop: Importer) -> AsyncIterator[None]:
    """Run the loop that backfills countries, with short pauses."""
    schedule = Schedule(every=0.01, retry=0.01)
    task = asyncio.create_task(
        backfill_countries(shop.db, IpInfo(TOKEN), clock=lambda: NOW, schedule=schedule)
    )
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_one_worker_asks_and_the_others_leave_it_to_that_one(
    ignorant: Importer, ipinfo: FakeIpInfo
) -> None:
    await store_live(ignorant, [[live_row()]])
    async with ignorant.db.dedicated() as other:
        assert await try_lock(other, COUNTRIES)
        async with backfilling(ignorant):
            await asyncio.sleep(0.1)  # for several passes
        assert ipinfo.batches == []
    async with backfilling(ignorant):
        await asyncio.wait_for(ipinfo.called.wait(), PATIENCE)


@pytest.mark.parametrize(("mode", "cause"), [(403, "IPINFO_TOKEN"), (429, "IPINFO_TOKEN"), (500, "500")])
async def test_a_service_that_fails_is_told_of_and_asked_again_after_a_pause(
    ignorant: Importer, ipinfo: FakeIpInfo, caplog: pytest.LogCaptureFixture, mode: int, cause: str
) -> None:
    await store_live(ignorant, [[live_row()]])
    ipinfo.mode = mode
    async with backfilling(ignorant):
        await asyncio.wait_for(ipinfo.called.wait(), PATIENCE)
        await asyncio.sleep(0.1)
    assert len(ipinfo.batches) == 1
    assert cause in caplog.text
    assert TOKEN not in caplog.text
    assert await ignorant.rows(ADDRESS_COUNTRIES) == [("8.8.8.8", None, False)]
    ipinfo.mode = "ok"
    assert await backfill_batch(ignorant.db, IpInfo(TOKEN), clock=lambda: NOW)
    assert await ignorant.rows(ADDRESS_COUNTRIES) == [("8.8.8.8", "US", True)]


async def test_it_looks_again_and_again_also_after_the_database_was_away(
    ignorant: Importer, ipinfo: FakeIpInfo
) -> None:
    real, away = queries.select_addresses_to_ask, iter((True,))

    async def select(session: Any, *, count: int) -> list[str]:
        if next(away, False):
            raise ConnectionError
        return await real(session, count=count)

    with patch.object(queries, "select_addresses_to_ask", select):
        async with backfilling(ignorant):
            for address in ("8.8.8.8", "8.8.4.4"):
                ipinfo.called.clear()
                await store_live(ignorant, [[live_row(address=address)]])
                await asyncio.wait_for(ipinfo.called.wait(), PATIENCE)
    assert ipinfo.batches == [["8.8.8.8"], ["8.8.4.4"]]
