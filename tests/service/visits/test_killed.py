"""Merges, and writing the files of columns, that are killed at any of their steps change no answer."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from db.database import Database
from db.event_store import EventStore
from service.columns.store import ColumnStore
from service.events.stats import count_events
from service.visits.queries import count_visits, list_visits
from service.visits.store import store_live_visits
from tests.support.command_line import PROJECT, Command, Running
from tests.support.event_oracle import OneEvent
from tests.support.live_cases import NOW, live_row
from tests.support.parts import line, some_keys, store_part
from tests.support.processes import PATIENCE, children, send_signal
from tests.support.stored_events import store_events
from tests.support.visit_cases import NOTHING

MORTAL = PROJECT / "tests/support/mortal.py"
PAGE: dict[str, Any] = {"after": None, "limit": 100, "offset": 0}
URLS = ("/caviar/", "/caviar/beluga/", "/cart?goods_id=1&amount=2&cart_id=3", "/success_pay_3/", "/")
# How many rows of a table are left when work has come to its end.
LEFT = {"visits": ("live_visit", 0), "events": ("event_batch", 0), "columns": ("visit_part", 3)}
FIRST, GROWTH = 3, 1.4  # the step of the first kill, and how much later each next one is


async def fill(db: Database) -> None:
    """Store visits of two sources, small parts, and events in batches."""
    random = Random(1)
    for source in ("api", "page"):
        rows = [
            live_row(url, source=source, position=place, occurred_at=NOW + timedelta(minutes=place))
            for place, url in enumerate(URLS * 2, 1)
        ]
        await store_live_visits(db, rows)
    for seed in (1, 2, 3):
        keys = some_keys(2, seed=seed)
        await store_part(db, [line(url, at=NOW, key=key) for url, key in zip(URLS, keys, strict=False)])
    for _ in range(6):
        await store_events(
            db, [OneEvent(random.randrange(5), "view", NOW + timedelta(hours=random.randrange(99)))] * 12
        )


async def answers(db: Database, folder: Path) -> list[Any]:
    """Return what is shown by a process that has read nothing yet."""
    store, events = ColumnStore.under(folder, megabytes=10), EventStore()
    how: dict[str, Any] = {"tz": "Asia/Tokyo", **PAGE}
    return [
        await list_visits(db, store, **NOTHING, **PAGE),
        *[await count_visits(db, store, **NOTHING, group_by=by, **how) for by in (("page", "day"), ())],
        *[await count_events(db, events, group_by=[by], **how) for by in ("user", "day")],
    ]


async def rows_of(db: Database, table: str) -> int:
    async with db.raw() as raw:
        return int(await raw.fetchval(f"SELECT count(*) FROM {table}"))


@asynccontextmanager
async def mortal(url: str, folder: Path) -> AsyncIterator[Running]:
    """Run tests/support/mortal.py, and end it and its forks with the block, however that ends."""
    program = Command({}, MORTAL).fork(url, str(folder))
    try:
        yield program
    finally:
        with suppress(FileNotFoundError):  # it has failed
            send_signal([program.pid, *children(program.pid)], signal.SIGKILL)
        await asyncio.to_thread(program.communicate)


@pytest.mark.parametrize(
    "work", ["events", *(pytest.param(each, marks=pytest.mark.slow) for each in ("visits", "columns"))]
)
async def test_work_that_is_killed_at_any_step_changes_no_answer(
    committed_url: str, committed_db: Database, tmp_path: Path, work: str
) -> None:
    """Kill it at later and later steps until it comes to its end."""
    db = committed_db
    await fill(db)
    before = await answers(db, tmp_path / "whole")
    step, outcomes = float(FIRST), list[str]()
    async with mortal(committed_url, tmp_path) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        while "done" not in outcomes:
            program.stdin.write(f"{work} {round(step)}\n")
            program.stdin.flush()
            outcome = await asyncio.wait_for(asyncio.to_thread(program.stdout.readline), PATIENCE)
            outcomes.append(outcome.strip())
            assert outcomes[-1] in ("killed", "done")
            assert await answers(db, tmp_path) == before
            step *= GROWTH
    assert outcomes.count("killed") > 5
    table, row_count = LEFT[work]
    assert await rows_of(db, table) == row_count
