"""Lists, exports and statistics of visits, held to the obvious way of computing them."""

import uuid
from dataclasses import astuple
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from clients.geo import Geo
from db.database import Database
from service.columns.store import ColumnStore
from service.errors import NotFound
from service.visits.merging import VisitMerger
from service.visits.queries import count_visits, get_visit, list_visits
from service.visits.store import store_live_visits
from tests.support.examples import examples
from tests.support.line_ids import log_line_id
from tests.support.live_cases import NOW, live_row
from tests.support.log_imports import Importer
from tests.support.merging import ALWAYS, LATER, merge_visits
from tests.support.parts import say, store_part
from tests.support.visit_cases import NOTHING, PAGES, ZONES, LiveSaid, filters, lines, visits
from tests.support.visit_oracle import (
    as_exported,
    expected_counts,
    expected_previous,
    exported,
    groupings,
    passes,
    values_of,
)


async def store_live(db: Database, live: list[LiveSaid], merges: int) -> None:
    """Store live visits, and merge none, all or some of them."""
    if live:
        await store_live_visits(db, [each.row for each in live])
        await say(db, {each.request_id: each.said for each in live})
    if merges == 1:
        await merge_visits(db)
    elif merges:
        await VisitMerger(db, lambda: LATER, ALWAYS).merge_live_visits("api")


@given(
    drawn=st.tuples(visits(), st.booleans(), st.sampled_from((0, 1, 2))),
    cases=st.lists(st.tuples(filters(), groupings, st.sampled_from(ZONES)), min_size=2, max_size=4),
)
@settings(max_examples=examples(5), suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
async def test_lists_and_statistics_agree_with_the_oracle(
    committed_db: Database, tmp_path_factory: Any, geo: Geo, drawn: Any, cases: list[Any]
) -> None:
    db, ((live, parts), has_files, merges) = committed_db, drawn
    store = ColumnStore.under(tmp_path_factory.mktemp("columns"), megabytes=10 if has_files else 0)
    await Importer(db, geo).empty()
    for part in parts:
        await store_part(db, part)
    await store_live(db, live, merges)
    rows = [*live, *(each for part in parts for each in part)]
    newest_first = sorted(rows, key=lambda visit: (visit.occurred_at, visit.request_id), reverse=True)
    for criteria, group_by, tz in cases:
        expected = [visit for visit in newest_first if passes(visit, criteria)]
        listed = await list_visits(db, store, **criteria, after=None, limit=1000, offset=0)
        assert [visit.id for visit in listed] == [visit.request_id for visit in expected]
        for shown, visit in zip(listed, expected, strict=True):
            assert (shown.timestamp, shown.page_url, shown.user_id, shown.country, shown.source) == (
                visit.occurred_at,
                visit.page_url,
                visit.user_id,
                visit.country,
                visit.source,
            )
            assert (shown.kind, shown.category, shown.product) == (visit.kind, visit.category, visit.product)
            for name in ("method", "status", "bytes", "referrer", "browser", "os", "device", "traffic"):
                assert getattr(shown, name) == getattr(visit.said, name)
        if len(listed) > 1:
            after = (listed[0].timestamp, uuid.UUID(listed[0].id))
            assert await list_visits(db, store, **criteria, after=after, limit=1000, offset=0) == listed[1:]
            assert await list_visits(db, store, **criteria, after=None, limit=1, offset=1) == listed[1:3]
        how: dict[str, Any] = {"group_by": group_by, "tz": tz, "limit": 1000, "compare": None}
        counts = await count_visits(db, store, **criteria, **how, after=None, offset=0)
        assert [values_of(count) for count in counts] == expected_counts(expected, group_by, tz)
        if criteria["until"] is not None:
            how |= {"compare": "previous"}
            compared = await count_visits(db, store, **criteria, **how, after=None, offset=0)
            assert [values_of(count) for count in compared] == [values_of(count) for count in counts]
            previous = expected_previous(rows, criteria, group_by, tz)
            for count in compared:
                assert count.previous is not None
                assert astuple(count.previous) == previous(count.group)
            how |= {"compare": None}
        for place in range(1, len(counts))[:2]:
            one = how | {"limit": 1}
            assert (await count_visits(db, store, **criteria, **one, after=(place,), offset=0))[0] == counts[
                place
            ]
        assert await exported(db, store, **criteria) == [as_exported(visit) for visit in listed]


async def test_pages_of_a_list_hold_every_visit_once(db: Database, store: ColumnStore) -> None:
    for seed in (1, 2):  # two parts of one period
        await store_part(db, lines(30, seed=seed))
    await store_live_visits(db, [live_row(position=place) for place in range(40)])
    whole = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in whole}) == 100
    paged, after = [], None
    while page := await list_visits(db, store, **NOTHING, after=after, limit=7, offset=0):
        paged += page[:7]
        after = (page[:7][-1].timestamp, uuid.UUID(page[:7][-1].id))
    assert paged == whole
    assert await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=90) == whole[90:]


async def test_log_lines_have_a_user_on_their_pay_line_alone(db: Database, store: ColumnStore) -> None:
    await store_part(db, lines(24))
    listed = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert {(visit.kind, visit.user_id) for visit in listed if visit.user_id} == {("pay", 1), ("pay", 12)}
    of_user = await list_visits(db, store, **NOTHING | {"user_id": 12}, after=None, limit=1000, offset=0)
    assert [visit.kind for visit in of_user] == ["pay", "pay"]
    assert await list_visits(db, store, **NOTHING | {"user_id": 0}, after=None, limit=9, offset=0) == []


async def test_each_visit_is_found_by_its_id(db: Database, store: ColumnStore) -> None:
    for seed in (1, 2):
        await store_part(db, lines(12, seed=seed))
    await store_live_visits(db, [live_row("/about")])
    listed = await list_visits(db, store, **NOTHING, after=None, limit=1000, offset=0)
    assert len({visit.id for visit in listed}) == 25
    assert [await get_visit(db, store, uuid.UUID(visit.id)) for visit in listed] == listed
    for missing in (uuid.uuid4(), log_line_id(NOW, 1), log_line_id(listed[-1].timestamp, 1)):
        with pytest.raises(NotFound):
            await get_visit(db, store, missing)


async def test_an_export_is_the_list_without_its_end(committed_db: Database, store: ColumnStore) -> None:
    db = committed_db
    await store_part(db, lines(1500))
    await store_part(db, lines(600, seed=2))
    await store_live_visits(db, [live_row(page_url) for page_url in PAGES])
    for filtered in ({}, {"source": "log"}, {"source": "api"}, {"category": "caviar"}, {"category": "none"}):
        listed = [
            as_exported(visit)
            for offset in (0, 1000, 2000)
            for visit in (
                await list_visits(db, store, **NOTHING | filtered, after=None, limit=1000, offset=offset)
            )[:1000]
        ]
        assert await exported(db, store, **NOTHING | filtered) == listed
