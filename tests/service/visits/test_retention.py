"""Old months are deleted: as if their visits and events had never been, whoever stores more meanwhile."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db.database import Database
from service.visits.pacing import BatchLimits
from service.visits.retention import delete_before, start_of_retention
from service.visits.store import store_live_visits
from tests.service.reports.test_reports import DEFAULTS, agrees, ask, check_carts, expected_report
from tests.support import oracle
from tests.support.event_oracle import OneEvent
from tests.support.examples import examples
from tests.support.live_cases import batches, live_row
from tests.support.log_imports import NOW, Importer, lines_of, write
from tests.support.log_lines import logs
from tests.support.merging import merge_visits
from tests.support.report_cases import TIME, questions
from tests.support.retention_state import state
from tests.support.stored_events import store_events
from tests.support.undo import of_file

# Around the ends of months; times of a case lie in the first seven hours of these days.
DAYS = ("2018-08-31", "2018-09-01", "2018-09-30", "2018-10-01", "2018-10-31", "2018-11-01", "2018-12-15")
OLD, YOUNG = datetime(2018, 9, 30, 23, tzinfo=UTC), datetime(2018, 10, 1, tzinfo=UTC)


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


@pytest.mark.slow
@given(
    data=st.data(),
    parts=st.lists(old_logs(), min_size=2, max_size=2),
    now=st.datetimes(datetime(2018, 9, 1), datetime(2019, 1, 5)).map(lambda time: time.replace(tzinfo=UTC)),
    days=st.integers(1, 90),
    together=st.sampled_from((1, 3, 1000)),
    merges=st.booleans(),
)
@settings(max_examples=examples(3), deadline=None, suppress_health_check=list(HealthCheck))
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
@settings(max_examples=examples(3), deadline=None, suppress_health_check=list(HealthCheck))
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
