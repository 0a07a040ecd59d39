"""/live: what listeners receive each second, and when the stream ends."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db.database import Database
from db.models import Import
from db.queries.undo import mark_undone
from service import live_feed as live
from service.cache import Cache
from service.deps import Deps
from service.live_counts import LiveCounts, LiveTiming
from tests.support.http_client import User
from tests.support.http_server import RunningApp
from tests.support.live_stream import listening
from transport.settings import HttpSettings, Timeouts

VISIT = {"page_url": "https://shop.example/fresh_fish/"}
PATIENCE = 10.0  # seconds
FAST = LiveTiming(interval=0.1)


@pytest.fixture
def deps(deps: Deps) -> Deps:
    """Make a second a tenth of one."""
    return replace(deps, live=LiveCounts(FAST))


@pytest.fixture(autouse=True)
def quick(server: RunningApp, deps: Deps) -> None:
    server.use(deps, HttpSettings(timeouts=Timeouts(token_check=0.2)))


async def post_visits(user: User, count: int) -> None:
    answer = await user.client.post("/visits", json={"visits": [VISIT] * count})
    assert answer.json["created"] == count


async def quiet() -> None:
    """Wait until the tasks that share the counts have ended."""
    counting = [task for task in asyncio.all_tasks() if task.get_name() == "live counts"]
    async with asyncio.timeout(PATIENCE):
        await asyncio.gather(*counting)


async def test_each_visit_that_is_stored_is_counted_once(user: User) -> None:
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        first = await listener.next_state()
        assert first is not None
        assert (first["visits"], first["visits_per_second"]) == (0, 0)
        visit = {**VISIT, "id": "8c4f2a0e-5f2c-4a77-9d0e-3a1f5b6c7d80"}
        for status in (201, 200):
            assert (await user.client.post("/visits", json=visit)).status == status
        await post_visits(user, 20)
        assert (await user.client.get("/pages/about")).status == 200
        state = await listener.until(visits=22)
        assert state["visits"] == 22
        assert state["events"] == 0


async def test_rates_are_the_growth_of_the_totals(user: User) -> None:
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        await listener.next_state()
        await post_visits(user, 50)
        grown = 0.0
        while grown == 0:
            state = await listener.next_state()
            assert state is not None
            grown = state["visits_per_second"]
        assert grown > 50  # within a tenth of a second


async def test_workers_tell_of_each_others_counts(
    user: User, server: RunningApp, deps: Deps, cache: Cache
) -> None:
    other = replace(deps, live=LiveCounts(FAST))
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        live.count_stored(other, visits=3, events=4)
        live.count_stored(deps, visits=30, events=40)
        state = await listener.until(visits=33)
        assert (state["visits"], state["events"]) == (33, 44)
        states = live.watch(other)
        latest = await anext(states)
        while latest.visits < 33:
            latest = await anext(states)
        assert (latest.visits, latest.events) == (33, 44)
        await states.aclose()
    await quiet()


async def test_all_who_listen_share_one_task_which_ends_with_them(user: User, deps: Deps) -> None:
    async with asyncio.timeout(PATIENCE):
        async with listening(user.client) as one, listening(user.client) as another:
            assert await one.next_state()
            assert await another.next_state()
            tasks = [task.get_name() for task in asyncio.all_tasks()]
            assert tasks.count("live counts") == 1
            assert deps.live.listeners == 2
        await quiet()
    assert deps.live.listeners == 0


async def test_imports_that_run_or_have_just_changed_are_told_of(user: User, db: Database) -> None:
    then = datetime(2026, 1, 1, tzinfo=UTC)
    async with db.transaction() as session:
        session.add_all(
            [
                Import(name="running.txt", bytes=5, bytes_total=10, lines=1, imported=1),
                Import(name="long.txt", status="done", finished_at=then, updated_at=then),
                Import(name="undone.txt", status="done", finished_at=then, updated_at=then),
            ]
        )
        [undone] = await session.scalars(select(Import.id).where(Import.name == "undone.txt"))
        await mark_undone(session, undone)
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        state = await listener.next_state()
        assert state is not None
        imports = {each["name"]: (each["status"], each["bytes"]) for each in state["imports"]}
        assert imports == {"running.txt": ("running", 5), "undone.txt": ("undone", 0)}
        assert set(state["imports"][0]) == set((await user.client.get("/imports")).json["items"][0])


async def test_signing_out_ends_the_stream(user: User, other_user: User) -> None:
    async with (
        asyncio.timeout(PATIENCE),
        listening(user.client) as mine,
        listening(other_user.client) as other,
    ):
        assert await mine.next_state()
        assert (await user.client.post("/logout")).status == 204
        while await mine.next_state():
            pass
        assert await other.next_state()


async def test_draining_ends_the_stream(
    user: User, server: RunningApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        assert await listener.next_state()
        monkeypatch.setattr(server.app.ctx, "draining", True)
        while await listener.next_state():
            pass


async def test_without_the_cache_a_worker_tells_of_its_own(
    user: User, deps: Deps, server: RunningApp
) -> None:
    alone = replace(deps, cache=Cache.connect("redis://127.0.0.1:1"), live=LiveCounts(FAST))
    server.use(alone)
    live.count_stored(alone, visits=2)
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        assert (await listener.until(visits=2))["visits"] == 2
    await quiet()
    await alone.cache.close()


async def test_head_says_what_get_would_and_ends(user: User) -> None:
    answer = await user.client.request("HEAD", "/live")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/event-stream")


async def test_a_live_state_has_the_fields_of_the_openapi_document(user: User) -> None:
    async with asyncio.timeout(PATIENCE), listening(user.client) as listener:
        state = await listener.next_state()
    document = (await user.client.get("/openapi.json")).json
    operation = document["paths"]["/api/v1/live"]["get"]
    event = operation["responses"]["200"]["content"]["text/event-stream"]["schema"]["x-event"]
    described = document["components"]["schemas"][event["$ref"].rpartition("/")[2]]
    assert state is not None
    assert set(state) == set(described["properties"])
