"""Statistics of visits: each page is one group, times begin by the local clock, pages of groups are whole."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.database import Database
from service.columns import counts
from service.columns.store import ColumnStore
from service.visits.queries import count_visits
from service.visits.store import store_live_visits
from tests.support.live_cases import NOW, live_row
from tests.support.parts import NOTHING_SAID, Line, line, some_keys, store_part
from tests.support.visit_cases import NOTHING, LiveSaid, Row
from tests.support.visit_oracle import expected_counts, values_of
from time_slices import DAY, TimeSlices, time_slices


@pytest.mark.parametrize("group_by", [("page",), ("page", "user"), ("kind", "page")])
async def test_a_page_is_one_group_in_parts_of_its_host_and_of_others(
    db: Database, store: ColumnStore, group_by: tuple[str, ...]
) -> None:
    pages = ("/cart?goods_id=5&amount=2&cart_id=31", "/pay?user_id=12&cart_id=3", "/success_pay_31/")
    urls = [
        f"{host}{page}" for host in ("https://shop.example", "https://other.example", "") for page in pages
    ]
    how: dict[str, Any] = {"group_by": group_by, "tz": "UTC", "compare": None, "after": None}

    async def check() -> None:
        expected = expected_counts(rows, group_by, "UTC")
        counts = await count_visits(db, store, **NOTHING, **how, limit=100, offset=0)
        assert [values_of(count) for count in counts] == expected
        for place, row in enumerate(expected):
            [count, *_] = await count_visits(db, store, **NOTHING, **how, limit=1, offset=place)
            assert values_of(count) == row

    rows: list[Row] = []
    keys = some_keys(100)
    for some in (urls, urls[::-1], urls[:4], urls[3:]):  # the host of a part is that of its first line
        part = [line(url, at=NOW + timedelta(seconds=at), key=keys.pop()) for at, url in enumerate(some)]
        await store_part(db, part)
        rows += part
        await check()  # at first of pages visited once, and then of pages that are known in part
    live = [live_row(url, position=place) for place, url in enumerate(urls)]
    await store_live_visits(db, live)
    rows += [LiveSaid(each, NOTHING_SAID) for each in live]
    await check()


@pytest.mark.parametrize(
    "case",
    [
        ("America/New_York", "2018-11-04T05:59:00", "hour", "2018-11-04T05:00:00"),
        ("America/New_York", "2018-11-04T06:01:00", "hour", "2018-11-04T06:00:00"),
        ("America/Havana", "2018-11-04T05:30:00", "day", "2018-11-04T04:00:00"),
        ("America/Sao_Paulo", "2018-11-04T12:00:00", "day", "2018-11-04T03:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T14:59:00", "hour", "2018-03-31T14:00:00"),
        ("Australia/Lord_Howe", "2018-03-31T15:15:00", "hour", "2018-03-31T15:00:00"),
        ("Australia/Lord_Howe", "2018-10-06T15:45:00", "hour", "2018-10-06T15:30:00"),
        ("Asia/Kathmandu", "2018-11-04T12:20:00", "hour", "2018-11-04T12:15:00"),
        ("Europe/Berlin", "2018-10-28T22:59:00", "week", "2018-10-21T22:00:00"),
        ("Europe/Berlin", "2018-10-28T23:00:00", "week", "2018-10-28T23:00:00"),
        ("CET", "2026-07-10T22:30:00", "day", "2026-07-10T22:00:00"),  # PostgreSQL has it an hour behind
        ("MET", "2026-07-10T22:30:00", "day", "2026-07-10T22:00:00"),
        ("America/Vancouver", "2026-11-15T07:30:00", "day", "2026-11-15T07:00:00"),
        ("America/Vancouver", "2026-11-15T08:30:00", "day", "2026-11-15T07:00:00"),
        ("America/Winnipeg", "2026-11-28T05:30:00", "day", "2026-11-28T05:00:00"),
        ("America/Winnipeg", "2026-11-28T12:00:00", "day", "2026-11-28T05:00:00"),
        ("Europe/Berlin", "2018-10-31T22:00:00", "month", "2018-09-30T22:00:00"),
    ],
)
async def test_groups_of_time_begin_when_the_local_clock_says(
    db: Database, store: ColumnStore, case: tuple[str, str, str, str]
) -> None:
    zone, instant, unit, begin = case
    moment = datetime.fromisoformat(instant).replace(tzinfo=UTC)
    await store_live_visits(db, [live_row(occurred_at=moment)])
    how: dict[str, Any] = {
        "group_by": (unit,),
        "tz": zone,
        "compare": None,
        "after": None,
        "limit": 1,
        "offset": 0,
    }
    [count] = await count_visits(db, store, **NOTHING, **how)
    assert count.group == {unit: datetime.fromisoformat(begin).replace(tzinfo=UTC)}


@pytest.mark.parametrize("other", ["country", "day"])
async def test_pages_of_statistics_hold_every_pair_of_a_group_and_a_page_once(
    db: Database, store: ColumnStore, other: str
) -> None:
    """Pages visited once stand in the order of the other group first, and only then by URL."""
    for seed in (1, 2):
        await store_part(db, payments(seed))
    how: dict[str, Any] = {"group_by": (other, "page"), "tz": "UTC", "compare": None, "after": None}
    expected = expected_counts([*payments(1), *payments(2)], (other, "page"), "UTC")
    for limit in (1, 3, 7, 40, 1000):
        counts = [
            count
            for offset in range(0, len(expected), limit)
            for count in (await count_visits(db, store, **NOTHING, **how, limit=limit, offset=offset))[:limit]
        ]
        assert [values_of(count) for count in counts] == expected


def payments(seed: int) -> list[Line]:
    """Lines of pay pages that are visited once, but every tenth, whose countries do not follow their URLs."""
    return [
        line(
            "/pay?user_id=1&cart_id=1"
            if place % 10 == 0
            else f"/pay?user_id={place % 5 + 1}&cart_id={place}{seed}",
            at=datetime(2018, 8, 1 + place * 7 % 4, tzinfo=UTC),
            key=key,
            address=f"8.8.8.{place % 3}",
            country=("US", "DE", None)[place % 3],
        )
        for place, key in enumerate(some_keys(30, seed=seed), start=1)
    ]


@pytest.mark.parametrize("since", [datetime(1, 1, 1, tzinfo=UTC), datetime(2000, 1, 1, tzinfo=UTC)])
async def test_centuries_are_compared_without_an_hour_for_each_of_theirs(
    db: Database, store: ColumnStore, monkeypatch: pytest.MonkeyPatch, since: datetime
) -> None:
    times = [datetime(year, 8, 1, 12, tzinfo=UTC) for year in (1971, 1999, 2018)]
    await store_live_visits(
        db, [live_row("/", position=year, occurred_at=each) for year, each in enumerate(times)]
    )
    spans: list[int] = []

    def cut_some(unit: str, zone: str, first: int, last: int) -> TimeSlices:
        spans.append(last - first)
        assert last - first < 200 * 366 * DAY, "which would take gigabytes"
        return time_slices(unit, zone, first, last)

    monkeypatch.setattr(counts, "time_slices", cut_some)
    how: dict[str, Any] = {"group_by": ("hour",), "tz": "Europe/Berlin", "compare": "previous", "after": None}
    period = NOTHING | {"since": since, "until": datetime(9999, 12, 31, tzinfo=UTC)}
    counted = await count_visits(db, store, **period, **how, limit=100, offset=0)
    inside = [each for each in times if each >= since]
    assert [(count.group, count.visits) for count in counted] == [({"hour": each}, 1) for each in inside]
    assert spans
