"""Live visits that stay rows: what a part can't show, and what is too few or too young."""

from datetime import timedelta

from service.visits.merging import MergeLimits, VisitMerger
from service.visits.store import store_live_visits
from tests.support.live_cases import NOW, live_row
from tests.support.log_imports import Importer
from tests.support.merging import LATER, VIEW, merge_visits


async def test_what_a_part_would_show_in_another_way_stays_a_row(shop: Importer) -> None:
    rows = [
        live_row("/"),
        live_row("/", country="DE"),  # its address is in US
        live_row("/", address=None, country=None),
        live_row("/", user_id=-(2**63)),
        live_row("/", user_id=2**63 - 1),
        live_row("/", user_id=None, source="site"),
    ]
    for row in rows:
        await store_live_visits(shop.db, [row])
    before = await shop.rows(VIEW)
    await merge_visits(shop.db)
    assert await shop.rows(VIEW) == before
    unmerged = await shop.rows("SELECT request_id FROM live_visit")
    assert sorted(unmerged) == sorted((row.request_id,) for row in rows[1:4])


async def test_few_or_young_visits_stay_rows(shop: Importer) -> None:
    limits, clock = MergeLimits(visits=3, least=3), [NOW]
    merger = VisitMerger(shop.db, lambda: clock[0], limits)
    await store_live_visits(
        shop.db, [live_row(occurred_at=NOW - limits.age), *(live_row(source="page") for _ in range(3))]
    )
    assert not await merger.is_due()
    clock[0] = NOW + limits.age
    assert not await merger.is_due()  # none is older than that
    clock[0] += timedelta(microseconds=1)
    assert await merger.is_due()
    await merger.merge()
    assert await shop.rows("SELECT source FROM live_visit") == [("api",)]
    assert not await merger.is_due()


async def test_a_source_whose_visits_stay_rows_is_left_alone_for_a_while(shop: Importer) -> None:
    limits, clock = MergeLimits(visits=2, least=2), [LATER]
    merger = VisitMerger(shop.db, lambda: clock[0], limits)
    await store_live_visits(shop.db, [live_row(address=None, country=None, user_id=n) for n in range(9)])
    assert not await merger.is_due()
    await store_live_visits(shop.db, [live_row(country="US")])
    await store_live_visits(shop.db, [live_row(country="DE") for _ in range(5)])
    await store_live_visits(shop.db, [live_row(source="page") for _ in range(2)])
    assert await merger.is_due()
    await merger.merge()
    assert await shop.rows("SELECT source FROM live_visit WHERE source = 'page'") == []
    assert not await merger.is_due()
    clock[0] += limits.pause
    assert await merger.is_due()
