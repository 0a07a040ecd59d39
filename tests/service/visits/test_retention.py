"""Old months are deleted: as if their visits and events had never been, whoever stores more meanwhile."""

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from db.locks import RETENTION, try_lock
from db.queries import unvisited_addresses
from service.background import Schedule
from service.visits import retention
from service.visits.pacing import BatchLimits
from service.visits.removal import delete_unvisited_addresses
from service.visits.retention import delete_before, enforce_retention, start_of_retention
from service.visits.store import store_live_visits
from tests.service.imports.test_undo import of_file
from tests.service.reports.test_reports import DEFAULTS, agrees, ask, check_carts, expected_report
from tests.support import oracle
from tests.support.event_oracle import OneEvent
from tests.support.eventually import eventually
from tests.support.live_cases import batches, live_row
from tests.support.log_imports import NOW, Importer, lines_of, some_lines, write
from tests.support.log_lines import logs
from tests.support.merging import merge_visits
from tests.support.report_cases import TIME, questions
from tests.support.stored_events import store_events

# Around the ends of months; times of a case lie in the first seven hours of these days.
DAYS = ("2018-08-31", "2018-09-01", "2018-09-30", "2018-10-01", "2018-10-31", "2018-11-01", "2018-12-15")
STATE = (
    "SELECT host(address), country FROM address",
    "SELECT goods_id, learned_at, learned_position, learned_key FROM goods",
    "SELECT encode(page_sha256, 'hex'), visits FROM page_visits",
    "SELECT event_id, occurred_at FROM event",
    "SELECT before FROM unfinished_retention",
)
OLD, YOUNG = datetime(2018, 9, 30, 23, tzinfo=UTC), datetime(2018, 10, 1, tzinfo=UTC)


@pytest.fixture
def shop(committed_db: Database, geo: Geo) -> Importer:
    return Importer(committed_db, geo)


@asynccontextmanager
async def retention_of(shop: Importer, *, days: int) -> AsyncIterator[None]:
    """Run the retention loop, with short pauses."""
    loop = enforce_retention(shop.db, days, clock=lambda: NOW, schedule=Schedule(every=0.01, retry=0.01))
    task = asyncio.create_task(loop)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def has_visits(shop: Importer, count: int) -> bool:
    return await shop.rows("SELECT count(*) FROM visit") == [(count,)]


async def state(shop: Importer) -> list[list[tuple[object, ...]]]:
    return [*await shop.derived(), *[sorted(await shop.rows(query), key=repr) for query in STATE]]


@st.composite
def old_logs(draw: st.DrawFn) -> bytes:
    log = draw(logs(broken=0, min_lines=10, max_lines=30))
    return b"\n".join(
        re.sub(rb"2018-\d\d-\d\d", draw(st.sampled_from(DAYS)).encode(), line, count=1)
        for line in log.splitlines()
    )


def lines_since(log: bytes, since: datetime) -> bytes:
    """The log with blank lines for those before a moment: the others keep their numbers."""

    def is_kept(line: bytes) -> bool:
        time = TIME.search(line)
        return time is None or datetime.fromisoformat(time[0].decode() + "Z") >= since

    return b"".join(line if is_kept(line) else b"\n" for line in lines_of(log))


async def insert_events(db: Database, events: dict[int, datetime]) -> None:
    new = [OneEvent(1, "view", occurred_at) for occurred_at in events.values()]
    await store_events(db, new, ids=[uuid.UUID(int=number) for number in events])


async def fill(
    shop: Importer, folder: Path, parts: list[bytes], live: list[Any], events: dict[int, datetime]
) -> None:
    await shop.empty()
    for number, log in enumerate(parts):
        write(folder / f"{number}.txt", log)
        await shop.read(folder / f"{number}.txt", chunk_bytes=700)
    for batch in live:
        await store_live_visits(shop.db, batch)
    await insert_events(shop.db, events)


@given(
    data=st.data(),
    parts=st.lists(old_logs(), min_size=2, max_size=2),
    now=st.datetimes(datetime(2018, 9, 1), datetime(2019, 1, 5)).map(lambda time: time.replace(tzinfo=UTC)),
    days=st.integers(1, 90),
    together=st.sampled_from((1, 3, 1000)),
    merges=st.booleans(),
)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
async def test_after_deletion_it_is_as_if_the_old_months_had_never_been(
    shop: Importer,
    tmp_path: Path,
    *,
    data: Any,
    parts: list[bytes],
    now: datetime,
    days: int,
    together: int,
    merges: bool,
) -> None:
    since = start_of_retention(now, days)
    moments = st.sampled_from(DAYS).map(lambda day: datetime.fromisoformat(f"{day}T00:00:00Z"))
    live = [
        [
            replace(visit, occurred_at=data.draw(moments) + timedelta(minutes=10 * len(batch)))
            for visit in batch
        ]
        for batch in data.draw(batches(shop.geo))
    ]
    events = dict(enumerate(data.draw(st.lists(moments, max_size=8))))
    own = [of_file(number, log) for number, log in enumerate(parts)]
    await fill(shop, tmp_path, own, live, events)
    if merges:
        await merge_visits(shop.db)
    limits = BatchLimits(visits=together, parts=together, goods=together, addresses=together)
    await delete_before(shop.db, since, limits=limits)
    after = await state(shop)
    young_logs = [lines_since(log, since) for log in own]
    young_live = [[visit for visit in batch if visit.occurred_at >= since] for batch in live]
    young_events = {number: occurred_at for number, occurred_at in events.items() if occurred_at >= since}
    await fill(shop, tmp_path, young_logs, [batch for batch in young_live if batch], young_events)
    assert await state(shop) == after


@given(
    parts=st.lists(old_logs(), min_size=2, max_size=2),
    month=st.sampled_from((9, 10, 11, 12)),
    together=st.sampled_from((2, 1000)),
    cases=questions,
)
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
async def test_reports_agree_with_the_oracle_over_what_is_left(
    shop: Importer, tmp_path: Path, *, parts: list[bytes], month: int, together: int, cases: list[Any]
) -> None:
    since = datetime(2018, month, 1, tzinfo=UTC)
    own = [of_file(number, log) for number, log in enumerate(parts)]
    await fill(shop, tmp_path, own, [], {})
    await delete_before(shop.db, since, limits=BatchLimits(visits=together, parts=together))
    await shop.check_rollups()
    visits = [
        replace(visit, offset=visit.line)
        for log in own
        for visit in oracle.read_log(lines_of(lines_since(log, since)), now=NOW).visits
        if visit.time >= since
    ]
    await check_carts(shop, visits)
    for scope, own_parameters in cases:
        for number in DEFAULTS:
            parameters = {**scope, "since": None, "until": None, **own_parameters[number]}
            report = await ask(shop, number, **parameters)
            answer = expected_report(visits, shop.geo, number, parameters)
            assert agrees(report, answer), (number, parameters, report, answer)


@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(1, 800))
def test_a_month_goes_when_its_last_moment_is_too_old(naive: datetime, days: int) -> None:
    now = naive.replace(tzinfo=UTC)
    since, oldest = start_of_retention(now, days), now - timedelta(days=days)
    last_moment = since - timedelta(microseconds=1)
    assert (since.day, since.time()) == (1, datetime.min.time())
    assert last_moment < oldest
    end_of_first_month = (since + timedelta(days=32)).replace(day=1) - timedelta(microseconds=1)
    assert end_of_first_month >= oldest


async def test_a_page_is_looked_at_by_those_alone_who_are_left(shop: Importer) -> None:
    times = (OLD, OLD, YOUNG)
    for minute, time in enumerate(times):
        visit = live_row("/caviar/", occurred_at=time + timedelta(minutes=minute), source="page")
        await store_live_visits(shop.db, [visit])
    await delete_before(shop.db, YOUNG)
    assert await shop.rows("SELECT visits FROM page_visits") == [(1,)]


async def test_what_a_dying_process_leaves_is_finished_by_the_next(shop: Importer, tmp_path: Path) -> None:
    """No visit is left to delete then, but goods that nothing explains, and addresses that nobody has."""
    write(tmp_path / "logs.txt", some_lines(30))
    await shop.read(tmp_path / "logs.txt")
    with (
        patch.object(retention, "reinfer_goods", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        await delete_before(shop.db, YOUNG)
    assert await shop.rows("SELECT count(*) FROM visit") == [(0,)]
    assert await shop.rows("SELECT count(*) FROM goods") == [(1,)]
    await delete_before(shop.db, YOUNG)
    assert not any(await state(shop))


async def test_one_worker_deletes_and_the_others_leave_it_to_that_one(shop: Importer, tmp_path: Path) -> None:
    write(tmp_path / "logs.txt", some_lines(30))
    await shop.read(tmp_path / "logs.txt")
    async with shop.db.dedicated() as other:
        assert await try_lock(other, RETENTION)
        async with retention_of(shop, days=30):
            await asyncio.sleep(0.1)  # for several passes
            assert await has_visits(shop, 30)
    async with retention_of(shop, days=30):
        await eventually(lambda: has_visits(shop, 0))


async def test_an_import_beside_it_loses_nothing(shop: Importer, tmp_path: Path) -> None:
    write(tmp_path / "old.txt", some_lines(200))
    await shop.read(tmp_path / "old.txt", chunk_bytes=1500)
    young = some_lines(300).replace(b"2018-08-01", b"2018-11-01")
    write(tmp_path / "young.txt", young)
    await asyncio.gather(
        delete_before(shop.db, YOUNG, limits=BatchLimits(visits=25, parts=1)),
        shop.read(tmp_path / "young.txt", chunk_bytes=1500),
    )
    after = await shop.derived()
    assert after == await shop.derived_at_once(tmp_path / "young.txt")


async def test_an_address_that_comes_back_while_it_is_deleted_stays(shop: Importer) -> None:
    await store_live_visits(
        shop.db, [live_row(occurred_at=OLD), live_row(occurred_at=OLD, address="9.9.9.9")]
    )
    real = unvisited_addresses.select_unvisited_addresses
    counts: list[int] = []

    async def come_back(session: Any, visited: Any) -> Any:
        candidates = await real(session, visited)
        if not counts:
            counts.append(len(candidates))
            await store_live_visits(shop.db, [live_row(occurred_at=YOUNG)])
        return candidates

    with patch.object(unvisited_addresses, "select_unvisited_addresses", come_back):
        await delete_before(shop.db, YOUNG)
    assert counts == [2]
    assert await shop.rows("SELECT host(address), country FROM address") == [("8.8.8.8", "US")]


async def test_an_address_that_is_imported_while_it_is_deleted_stays(shop: Importer, tmp_path: Path) -> None:
    """Its part names it by the id that it has then."""
    write(tmp_path / "old.txt", some_lines(30))
    write(tmp_path / "young.txt", some_lines(60).replace(b"2018-08-01", b"2018-11-01"))
    await shop.read(tmp_path / "old.txt")
    real = unvisited_addresses.select_unvisited_addresses

    async def come_back(session: Any, visited: Any) -> Any:
        candidates = await real(session, visited)
        await shop.read(tmp_path / "young.txt", chunk_bytes=1500)
        return candidates

    with patch.object(unvisited_addresses, "select_unvisited_addresses", come_back):
        await delete_before(shop.db, YOUNG)
    after = await state(shop)
    await shop.empty()
    await shop.read(tmp_path / "young.txt")
    assert await state(shop) == after


async def test_importers_forget_the_ids_of_addresses_that_are_deleted(shop: Importer, tmp_path: Path) -> None:
    """They remember addresses from chunk to chunk, and inserted them before their first part."""
    write(tmp_path / "young.txt", some_lines(120).replace(b"2018-08-01", b"2018-11-01"))
    removals: list[asyncio.Task[None]] = []

    def on_progress(_: Any) -> None:
        removals.append(asyncio.create_task(delete_unvisited_addresses(shop.db)))

    await shop.read(tmp_path / "young.txt", chunk_bytes=1500, on_progress=on_progress)
    await asyncio.gather(*removals)
    after = await state(shop)
    await shop.empty()
    await shop.read(tmp_path / "young.txt")
    assert await state(shop) == after


async def test_whoever_stores_visits_does_not_wait_while_addresses_are_deleted(shop: Importer) -> None:
    """Not even for a visit of the very address that is deleted, which is inserted again."""
    await store_live_visits(shop.db, [live_row(occurred_at=OLD)])
    real = unvisited_addresses.delete_addresses

    async def delete(session: Any, address_ids: Any, visited: Any) -> None:
        await real(session, address_ids, visited)
        for address in ("9.9.9.9", "8.8.8.8"):
            visit = live_row(occurred_at=YOUNG, address=address)
            [outcome] = await asyncio.wait_for(store_live_visits(shop.db, [visit]), 20)
            assert outcome.status == "created"

    with patch.object(unvisited_addresses, "delete_addresses", delete):
        await delete_before(shop.db, YOUNG)
    assert await shop.rows("SELECT host(address), country FROM address ORDER BY 1") == [
        ("8.8.8.8", "US"),
        ("9.9.9.9", "US"),
    ]


async def test_it_deletes_again_and_again_also_after_the_database_was_away(shop: Importer) -> None:
    """Old lines that are imported later go at the next pass."""
    passes = asyncio.Semaphore(0)
    real, fail = retention.delete_before, iter((False, True))

    async def delete(db: Database, before: datetime) -> None:
        try:
            if next(fail, False):
                raise ConnectionError
            await real(db, before)
        finally:
            passes.release()

    with patch.object(retention, "delete_before", delete):
        async with retention_of(shop, days=30):
            await passes.acquire()
            await store_live_visits(shop.db, [live_row(occurred_at=OLD)])
            for _ in range(3):
                await passes.acquire()
    assert not any(await state(shop))
