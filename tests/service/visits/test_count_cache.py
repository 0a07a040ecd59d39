"""Counts of whole parts are kept, and answers are those of all visits whatever comes and goes meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from service.columns import cached_counts
from service.columns.blocks import Block, PartBlock
from service.columns.group_counts import GroupCounts
from service.columns.slots import Slots
from service.columns.statistics import Statistics
from service.columns.store import ColumnStore
from service.visits.queries import count_visits
from service.visits.store import store_live_visits
from tests.support.live_cases import live_row
from tests.support.parts import NOTHING_SAID, Line, line, some_keys, store_part
from tests.support.visit_cases import ADDRESSES, NOTHING, PAGES, SAID, LiveSaid, Row
from tests.support.visit_oracle import expected_counts, values_of

BEGIN = datetime(2018, 8, 1, tzinfo=UTC)
KNOWN = [each for each in ADDRESSES if each[0] is not None]
LATER = datetime(2030, 1, 1, tzinfo=UTC)
GROUPS: tuple[tuple[str, ...], ...] = (
    (),
    ("page",),
    ("user",),
    ("hour",),
    ("country", "page"),
    ("user", "browser"),
)


@pytest.fixture(autouse=True)
def of_all_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached_counts, "LARGE", 0)


def part_lines(seed: int, count: int = 24) -> list[Line]:
    """Lines of many pages, addresses and agents; those of later seeds have more of each."""
    lines = []
    for place, key in enumerate(some_keys(count, seed=seed)):
        address, country = KNOWN[(place * seed + seed) % (1 + seed % 4)]
        url = "/pay?user_id=7&cart_id=3" if place % 5 == 0 else PAGES[place * seed % len(PAGES)]
        at, said = BEGIN + timedelta(hours=place // 3 + seed), SAID[(place + seed) % len(SAID)]
        lines.append(line(url, at=at, key=key, address=address, country=country, said=said))
    return lines


async def check(db: Database, store: ColumnStore, rows: list[Row], **filters: Any) -> None:
    """Ask for each grouping; each answer is the oracle's."""
    traffic, since = filters.get("traffic", "all"), filters.get("since")
    chosen = [
        row
        for row in rows
        if traffic in ("all", row.said.traffic) and (since is None or row.occurred_at >= since)
    ]
    for group_by in GROUPS:
        how: dict[str, Any] = {"group_by": group_by, "tz": "Asia/Kathmandu", "compare": None, "after": None}
        for limit in (1000, 2):
            counts = await count_visits(db, store, **NOTHING | filters, **how, limit=limit, offset=0)
            expected = expected_counts(chosen, group_by, "Asia/Kathmandu")
            assert [values_of(count) for count in counts] == expected[: limit + 1]


@pytest.mark.slow
async def test_answers_are_those_of_all_visits_while_parts_and_live_visits_come_and_go(
    db: Database, store: ColumnStore
) -> None:
    parts, live = dict[int, list[Row]](), list[Row]()

    async def check_all() -> None:
        rows = [*(row for each in parts.values() for row in each), *live]
        for filters in ({"until": LATER}, {"traffic": "human"}, {"since": BEGIN + timedelta(hours=5)}):
            await check(db, store, rows, **filters)

    for seed in (1, 2):
        parts[await store_part(db, part_lines(seed))] = list(part_lines(seed))
        await check_all()
    row = live_row("/new/", position=1, occurred_at=BEGIN + timedelta(hours=2))
    await store_live_visits(db, [row])
    live.append(LiveSaid(row, NOTHING_SAID))
    await check_all()
    oldest = min(parts)
    del parts[oldest]
    async with db.transaction() as session:
        await session.execute(text("DELETE FROM visit_part WHERE id = :id"), {"id": oldest})
    await check_all()
    parts[await store_part(db, part_lines(6))] = list(part_lines(6))
    await check_all()


async def test_a_part_is_counted_once_as_long_as_all_of_it_is_in_the_period(
    db: Database, store: ColumnStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks: list[Block] = []
    count, rows = Statistics.count, Slots.rows

    def note_count(self: Statistics, counts: GroupCounts, block: Block) -> None:
        blocks.append(block)
        count(self, counts, block)

    def note_rows(self: Slots, block: Block) -> Any:
        blocks.append(block)
        return rows(self, block)

    monkeypatch.setattr(Statistics, "count", note_count)
    monkeypatch.setattr(Slots, "rows", note_rows)
    how: dict[str, Any] = {"group_by": ("country",), "tz": "UTC", "compare": None, "after": None}

    async def counted(**filters: Any) -> int:
        """Return how often a part was looked at for an answer: once for visits, once for visitors."""
        blocks.clear()
        await count_visits(db, store, **NOTHING | filters, **how, limit=10, offset=0)
        return sum(isinstance(block, PartBlock) for block in blocks)

    await store_part(db, part_lines(1))
    await store_part(db, part_lines(2))
    assert await counted() == 4
    assert await counted(until=LATER) == 0
    await store_part(db, part_lines(3))
    assert await counted(until=LATER + timedelta(seconds=1)) == 2
    assert await counted(since=BEGIN + timedelta(hours=1, seconds=1)) == 6, "a part begins before"
    assert await counted(country="US") == 6, "the filter's own counts"
    monkeypatch.setattr(cached_counts, "LARGE", 1000)
    assert await counted() == 6, "small parts are merged soon"
