"""Countries that become known later: all is as if they had been known when the visits were stored."""

import asyncio
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from clients.ipinfo import IpInfo
from db.database import Database
from db.queries import countries as queries
from db.queries.live_visits import LiveRow
from service.visits.countries import OPTIONS, BackfillOptions, backfill_all
from service.visits.store import store_live_visits
from tests.service.reports.test_reports import agrees, ask, expected_report
from tests.support import oracle
from tests.support.backfills import ADDRESS_COUNTRIES, PUBLIC, Table, store_live
from tests.support.examples import examples
from tests.support.ipinfo_service import TOKEN, FakeIpInfo
from tests.support.live_cases import batches, live_row
from tests.support.log_imports import NOW, Importer, lines_of, write
from tests.support.log_lines import ADDRESSES, line, logs
from tests.support.merging import merge_visits
from tests.support.report_cases import questions
from tests.support.undo import of_file, undo

STORED = tuple(address.removeprefix("::ffff:") for address in ADDRESSES)  # as lines and requests give them
VISITS = "SELECT host(address), country FROM visit ORDER BY 1, 2"


async def backfill(db: Database, options: BackfillOptions = OPTIONS) -> None:
    await backfill_all(db, IpInfo(TOKEN), clock=lambda: NOW, options=options)


async def state(shop: Importer) -> list[list[tuple[object, ...]]]:
    addresses = await shop.rows("SELECT host(address), country FROM address ORDER BY 1")
    return [*await shop.derived(), addresses]


@pytest.mark.slow
@given(
    parts=st.lists(logs(broken=0, min_lines=8, max_lines=25), min_size=2, max_size=2),
    live=batches(Geo(Table({}))),
    early=st.sets(st.sampled_from(sorted(PUBLIC))),
    late=st.sets(st.sampled_from(sorted(PUBLIC)), min_size=1),
    together=st.sampled_from((1, 3, 1000)),
    merges=st.booleans(),
    cases=questions,
)
@settings(max_examples=examples(3), deadline=None, suppress_health_check=list(HealthCheck))
async def test_after_the_backfill_it_is_as_if_all_countries_had_been_known(
    committed_db: Database,
    tmp_path: Path,
    ipinfo: FakeIpInfo,
    *,
    parts: list[bytes],
    live: list[list[LiveRow]],
    early: set[str],
    late: set[str],
    together: int,
    merges: bool,
    cases: list[Any],
) -> None:
    ipinfo.countries = {address: PUBLIC[address] for address in late}
    half = Importer(committed_db, Geo(Table({address: PUBLIC[address] for address in early})))
    full = Importer(committed_db, Geo(Table({address: PUBLIC[address] for address in early | late})))
    for number, log in enumerate(parts):
        write(tmp_path / f"{number}.txt", of_file(number, log))

    async def fill(shop: Importer) -> None:
        await shop.empty()
        for number in range(len(parts)):
            await shop.read(tmp_path / f"{number}.txt")
            await store_live(shop, live[number::2])
            if shop is half and merges:
                await merge_visits(shop.db)
            if shop is half:
                await backfill(shop.db, BackfillOptions(addresses=together, visits=together))

    await fill(half)
    backfilled = await state(half)
    visits = [
        visit
        for number in range(len(parts))
        for visit in oracle.read_log(lines_of((tmp_path / f"{number}.txt").read_bytes()), now=NOW).visits
    ]
    for scope, own in cases:
        for number in (1, 2):
            for metric in ("requests", "visitors") if number == 1 else ("requests",):
                parameters = {**scope, **own[number], "source": "log"}
                if number == 1:
                    parameters["metric"] = metric
                answer = expected_report(visits, full.geo, number, parameters)
                assert agrees(await ask(half, number, **parameters), answer), (number, parameters)
    await fill(full)
    assert await state(full) == backfilled


async def store_one_each(shop: Importer, folder: Path, addresses: tuple[str, ...] = ADDRESSES) -> Any:
    lines = [
        line(f"2018-08-01 00:00:0{number}", f"AAAAAAA{number}", address, "/caviar/")
        for number, address in enumerate(addresses)
    ]
    write(folder / "logs.txt", "\n".join([*lines, ""]).encode())
    return await shop.read(folder / "logs.txt")


async def test_private_addresses_are_never_looked_up_and_others_once(
    ignorant: Importer, tmp_path: Path, ipinfo: FakeIpInfo
) -> None:
    ipinfo.countries = {"8.8.8.8": "US"}
    record = await store_one_each(ignorant, tmp_path)
    await backfill(ignorant.db)
    await store_live(ignorant, [[live_row(address=address) for address in STORED]])
    await backfill(ignorant.db)
    assert ipinfo.batches == [sorted(PUBLIC)]
    assert await ignorant.rows(ADDRESS_COUNTRIES) == sorted(
        (address, ipinfo.countries.get(address), True) for address in STORED
    )
    assert record.imported == len(ADDRESSES)


async def test_lines_that_are_read_later_have_the_country_that_their_address_was_given(
    ignorant: Importer, tmp_path: Path, ipinfo: FakeIpInfo
) -> None:
    """However the address is written."""
    await store_live(ignorant, [[live_row(), live_row(address="8.8.4.4")]])
    await backfill(ignorant.db)
    await store_one_each(ignorant, tmp_path, ("10.0.0.1", "8.8.8.8", "9.9.9.9", "::ffff:8.8.4.4"))
    await store_live(ignorant, [[live_row(address="8.8.4.4")]])
    assert await ignorant.rows(VISITS) == [
        ("10.0.0.1", None),
        *[("8.8.4.4", "US")] * 3,
        *[("8.8.8.8", "US")] * 2,
        ("9.9.9.9", None),
    ]
    await ignorant.check_rollups()


async def test_an_import_that_is_undone_takes_its_countries_along(
    ignorant: Importer, tmp_path: Path, ipinfo: FakeIpInfo
) -> None:
    record = await store_one_each(ignorant, tmp_path)
    await backfill(ignorant.db)
    await undo(ignorant, record)
    assert not any(await state(ignorant))


async def test_a_live_visit_is_shown_with_the_country_that_its_address_was_given(
    ignorant: Importer, ipinfo: FakeIpInfo
) -> None:
    visit = live_row(country=None)
    [first] = await store_live_visits(ignorant.db, [visit])
    await backfill(ignorant.db)
    [again, second] = await store_live_visits(ignorant.db, [visit, live_row(country=None)])
    assert (first.status, again.status, second.status) == ("created", "duplicate", "created")
    assert (first.visit.country, again.visit.country, second.visit.country) == (None, "US", "US")


async def test_visits_that_are_stored_while_an_address_is_backfilled_have_its_country(
    ignorant: Importer, tmp_path: Path, ipinfo: FakeIpInfo
) -> None:
    await store_live(ignorant, [[live_row()] for _ in range(30)])
    real, others = queries.set_visit_countries, []

    async def set_countries(session: Any, countries: Any, *, count: int) -> Any:
        # These wait for the writers' lock, some of them for the last time that it is held.
        others.append(asyncio.create_task(store_live(ignorant, [[live_row()]])))
        await asyncio.sleep(0.02)
        return await real(session, countries, count=count)

    write(tmp_path / "logs.txt", of_file(1, line("2018-08-01 00:00:00", "A" * 8, "8.8.8.8", "/").encode()))
    with patch.object(queries, "set_visit_countries", set_countries):
        await asyncio.gather(
            backfill(ignorant.db, BackfillOptions(visits=10)), ignorant.read(tmp_path / "logs.txt")
        )
        await asyncio.gather(*others)
    assert len(others) > 3
    counts = await ignorant.rows("SELECT country, count(*) FROM visit GROUP BY 1")
    assert counts == [("US", 31 + len(others))]
    await ignorant.check_rollups()


async def test_what_a_dying_process_leaves_is_finished_by_the_next(
    ignorant: Importer, ipinfo: FakeIpInfo
) -> None:
    await store_live(ignorant, [[live_row()] for _ in range(5)])
    options = BackfillOptions(visits=2)
    with (
        patch.object(queries, "set_address_countries", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        await backfill(ignorant.db, options)
    assert await ignorant.rows(ADDRESS_COUNTRIES) == [("8.8.8.8", None, False)]
    await ignorant.check_rollups()
    await backfill(ignorant.db, options)
    assert await ignorant.rows(VISITS) == [("8.8.8.8", "US")] * 5
    assert await ignorant.rows(ADDRESS_COUNTRIES) == [("8.8.8.8", "US", True)]
    await ignorant.check_rollups()
