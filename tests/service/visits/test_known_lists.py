"""Lists that a process answers by what it knows of parts, held to those of one that knows nothing."""

import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.database import Database
from db.queries.addresses import change_address_version
from db.queries.live_visits import Visit
from service.columns.store import ColumnStore
from service.visits.lists import Page
from service.visits.queries import list_visits
from service.visits.store import store_live_visits
from tests.support.examples import examples
from tests.support.live_cases import live_row
from tests.support.merging import merge_visits
from tests.support.parts import line, some_keys, store_part
from tests.support.visit_cases import NOTHING

BEGIN = datetime(2024, 5, 1, tzinfo=UTC)
PAGE: dict[str, Any] = {"after": None, "limit": 5, "offset": 0}


async def store_lines(db: Database, count: int, *, seed: int) -> None:
    """Store a part whose visits have few times, so that many have one in common."""
    rng = random.Random(seed)
    keys = some_keys(count, seed=seed)
    await store_part(db, [line(at=BEGIN + timedelta(seconds=rng.randrange(6)), key=key) for key in keys])


async def store_live(db: Database, count: int, *, seed: int) -> None:
    rng = random.Random(seed)
    times = [BEGIN + timedelta(seconds=rng.randrange(8)) for _ in range(count)]
    await store_live_visits(db, [live_row(occurred_at=at, position=place) for place, at in enumerate(times)])


async def change(db: Database, seed: int) -> None:
    """Change what lists show, in one of the ways in which they change."""
    how = seed % 6
    if how == 0:
        await store_lines(db, 7, seed=seed)
    elif how == 1:
        await store_live(db, 4, seed=seed)
    elif how == 2:
        await merge_visits(db)
    elif how == 3:
        async with db.transaction() as session:
            await session.execute(
                text("UPDATE address SET country = CASE country WHEN 'US' THEN 'CH' ELSE 'US' END")
            )
            await change_address_version(session)
    elif how == 4:
        async with db.transaction() as session:
            await session.execute(
                text("DELETE FROM live_visit WHERE request_id = (SELECT max(request_id) FROM live_visit)")
            )
    else:
        async with db.transaction() as session:
            await session.execute(text("DELETE FROM visit_part WHERE id = (SELECT min(id) FROM visit_part)"))


def pages(newest: Sequence[Visit]) -> list[dict[str, Any]]:
    """Return filters and pages of which the process knows enough once it has seen each."""
    cursors = [None, *((visit.timestamp, uuid.UUID(visit.id)) for visit in newest[2:4])]
    return [
        NOTHING | {"since": since, "until": until, "after": after, "limit": limit, "offset": offset}
        for since in (None, BEGIN + timedelta(seconds=2))
        for until in (None, BEGIN + timedelta(seconds=4))
        for after in cursors
        for limit, offset in ((3, 0), (3, 2), (50, 0))
    ]


@pytest.mark.parametrize("seed", range(examples(2)))
async def test_a_process_that_knows_parts_lists_what_one_that_knows_none_does(
    db: Database, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    store = ColumnStore.under(tmp_path, megabytes=100)
    await store_lines(db, 9, seed=seed)
    for step in rng.sample(range(12), 12):
        await change(db, step)
        newest = await list_visits(db, ColumnStore(), **NOTHING, **PAGE)
        all_pages = pages(newest)
        for page in rng.sample(all_pages, min(examples(6), len(all_pages))):
            expected = await list_visits(db, ColumnStore(), **page)
            for _ in range(2):
                assert await list_visits(db, store, **page) == expected


async def test_a_list_that_is_asked_for_again_takes_one_statement(db: Database, store: ColumnStore) -> None:
    await store_lines(db, 9, seed=1)
    await store_live(db, 3, seed=2)
    listed = [await list_visits(db, store, **NOTHING, **PAGE) for _ in range(2)]
    statements: list[str] = []
    async with db.raw() as raw:
        raw.add_query_logger(lambda record: statements.append(record.query))
    again = await list_visits(db, store, **NOTHING, **PAGE)
    other = await list_visits(db, store, **NOTHING, **PAGE | {"offset": 2})
    assert again == listed[0]
    assert other[:4] == again[2:6]
    assert len([each for each in statements if "FROM live_visit" in each]) == 2
    assert len(statements) == 2


async def test_a_list_is_the_same_object_until_a_visit_comes(db: Database, store: ColumnStore) -> None:
    await store_lines(db, 9, seed=1)
    listed = [await list_visits(db, store, **NOTHING, **PAGE) for _ in range(3)]
    assert listed[2] is listed[1]
    await store_live_visits(db, [live_row("/new", occurred_at=BEGIN + timedelta(days=1))])
    changed = await list_visits(db, store, **NOTHING, **PAGE)
    assert [visit.page_url for visit in changed][:1] == ["/new"]
    assert changed[1:] == listed[0][:5]


async def test_a_page_full_of_live_visits_shows_a_newer_one(db: Database, store: ColumnStore) -> None:
    await store_lines(db, 9, seed=1)
    for number in range(10):
        at = BEGIN + timedelta(days=1, seconds=number)
        await store_live_visits(db, [live_row(f"/{number}", occurred_at=at, position=number)])
        for _ in range(2):
            listed = await list_visits(db, store, **NOTHING, **PAGE)
            assert [visit.page_url for visit in listed][:1] == [f"/{number}"]


async def test_visits_that_are_older_than_a_page_are_not_asked_for(db: Database, store: ColumnStore) -> None:
    """Of live visits, those alone are read that are newer than the last line of the page."""
    await store_lines(db, 9, seed=1)
    await store_live_visits(db, [live_row(occurred_at=BEGIN - timedelta(days=1)) for _ in range(3)])
    await list_visits(db, store, **NOTHING, **PAGE)
    await list_visits(db, store, **NOTHING, **PAGE)
    assert store.parts is not None
    kept = store.parts.lists.get((None, None, Page(None, 6, 0)))
    assert kept is not None
    assert kept.live == []
