"""Columns of events hold what the table holds, while events come in, are merged and are deleted."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from db.column_files import ColumnFiles
from db.database import Database
from db.event_store import EventStore
from db.queries import event_columns
from db.read_threads import Abandoned
from service.columns.store import ColumnStore, sweep_columns
from service.events import merging, stats
from service.events.merging import MergeLimits, is_due, merge_events, merge_once
from service.visits.pacing import BatchLimits
from service.visits.retention import delete_before
from tests.support import event_oracle as oracle
from tests.support.event_oracle import OneEvent
from tests.support.eventually import eventually
from tests.support.examples import examples
from tests.support.merging import EVENTS_OFTEN as OFTEN
from tests.support.stored_events import store_events

MAY = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
async def own_db(committed_url: str) -> AsyncIterator[Database]:
    database = Database.connect(committed_url)
    yield database
    await database.close()


def some_events(random: Random, count: int, event_type: str = "view") -> list[OneEvent]:
    return [
        OneEvent(random.randrange(9), event_type, MAY + timedelta(minutes=random.randrange(-60_000, 60_000)))
        for _ in range(count)
    ]


async def counts_of(db: Database, store: EventStore, by: str = "type") -> list[tuple[object, int, int]]:
    rows = await stats.count_events(
        db, store, group_by=[by], tz="UTC", after=None, limit=1000, offset=0, since=None, until=None
    )
    return [(*row.groups.values(), row.events, row.users) for row in rows]


async def columns_of(db: Database) -> list[int]:
    """Return how many events wait in batches, and how many each part has."""
    async with db.read() as session:
        rows = await session.execute(
            text(
                "SELECT 0, coalesce(sum(events), 0) FROM event_batch UNION ALL "
                "SELECT id, events FROM event_part ORDER BY 1"
            )
        )
        return [int(row[1]) for row in rows]


async def test_batches_become_parts_and_small_parts_larger_ones(own_db: Database) -> None:
    random, events = Random(1), list[OneEvent]()
    for _ in range(20):
        some = some_events(random, 7)
        await store_events(own_db, some)
        events += some
    assert await columns_of(own_db) == [140]
    assert await is_due(own_db, limits=OFTEN)
    await merge_events(own_db, limits=OFTEN)
    assert not await is_due(own_db, limits=OFTEN)
    pending, *parts = await columns_of(own_db)
    assert (pending, sum(parts)) == (0, 140)
    assert sum(part < OFTEN.small for part in parts) < OFTEN.small_parts
    for by in ("type", "day"):
        assert await counts_of(own_db, EventStore(), by) == oracle.counts(events, [by], "UTC")


async def test_files_of_parts_are_made_once_shared_and_swept(own_db: Database, tmp_path: Path) -> None:
    events = some_events(Random(2), 60)
    await store_events(own_db, events)
    await merge_once(own_db, OFTEN)
    await store_events(own_db, events)  # pending, of the same users
    store, other = (ColumnStore.under(tmp_path, megabytes=40) for _ in range(2))
    expected = oracle.counts(events * 2, ["type"], "UTC")
    assert await counts_of(own_db, store.events) == expected
    [file] = (tmp_path / "event-columns").iterdir()
    with patch.object(event_columns, "select_arrays", side_effect=AssertionError):
        assert await counts_of(own_db, other.events) == expected
    file.write_bytes(file.read_bytes()[:-1])
    third = ColumnStore.under(tmp_path, megabytes=40)
    assert await counts_of(own_db, third.events) == expected
    async with own_db.transaction() as session:
        await session.execute(text("DELETE FROM event_part"))
    sweep = asyncio.create_task(sweep_columns(own_db, store, seconds=0.01))

    async def is_swept() -> bool:
        return not list((tmp_path / "event-columns").iterdir())

    await eventually(is_swept)
    sweep.cancel()


@given(st.integers(0, 1000), st.sampled_from((1, 3, 50)))
@settings(max_examples=examples(5), deadline=None, suppress_health_check=list(HealthCheck))
async def test_retention_deletes_columns_with_their_events(db: Database, seed: int, together: int) -> None:
    random = Random(seed)
    async with db.transaction() as session:
        for table in ("event", "event_batch", "event_part", "event_part_columns"):
            await session.execute(text(f"DELETE FROM {table}"))
    events = list[OneEvent]()
    for _ in range(random.randrange(4)):
        some = some_events(random, random.randrange(1, 9), random.choice(("view", "pay")))
        await store_events(db, some)
        events += some
        if random.random() < 0.5:
            await merge_once(db, MergeLimits(batches=1, small_parts=2))
    await delete_before(db, MAY, limits=BatchLimits(events=together))
    young = oracle.between(events, MAY, None)
    assert await counts_of(db, EventStore()) == oracle.counts(young, ["type"], "UTC")
    assert sum(await columns_of(db)) == len(young)


async def test_whoever_reads_beside_writers_merges_and_retention_sees_a_moment(own_db: Database) -> None:
    """Batches have seven young events and three old ones, which go all at once."""
    random, store, is_over = Random(3), EventStore(), asyncio.Event()

    async def write() -> None:
        for _ in range(40):
            old = [OneEvent(1, "old", MAY - timedelta(days=random.randrange(1, 50))) for _ in range(3)]
            young = [OneEvent(2, "young", MAY + timedelta(hours=number)) for number in range(7)]
            await store_events(own_db, old + young)
        is_over.set()

    async def merge() -> None:
        while not is_over.is_set():
            await merging.merge_events(own_db, limits=OFTEN)
            await asyncio.sleep(0)

    async def delete() -> None:
        await delete_before(own_db, MAY, limits=BatchLimits(events=1000))

    async def read() -> None:
        before = 0
        while not is_over.is_set():
            counts = {row[0]: row[1] for row in await counts_of(own_db, store)}
            young = counts.get("young", 0)
            assert young % 7 == 0
            assert young >= before
            assert counts.get("old", 0) % 3 == 0
            before = young

    await asyncio.gather(write(), merge(), read(), read())
    await delete()
    assert await counts_of(own_db, store) == [("young", 280, 1)]


async def test_a_count_ends_when_nobody_waits_for_it(own_db: Database) -> None:
    await store_events(own_db, some_events(Random(4), 10))
    with (
        patch("db.read_threads.Waiting.check", side_effect=Abandoned),
        pytest.raises(Abandoned),
    ):
        await counts_of(own_db, EventStore(ColumnFiles(None, bound=0, form="db.event_parts")))
