"""Whom a token authenticates, while Valkey works, hangs, is cut off and is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.models import Account, Session
from service.accounts.authentication import Caller, Origin, authenticate
from service.accounts.sessions import sign_out
from service.cache import Cache
from service.deps import Deps
from service.errors import Unauthorized
from service.security import credential_cache
from service.security.credential_cache import REFRESH_WITHIN, TTL, invalidate, session_entry
from tests.support.http_client import User
from tests.support.wire import Wire, lay_wire

NO_DATABASE: Any = None


async def authenticate_user(deps: Deps, token: str, *, now: datetime | None = None) -> Caller:
    caller, _ = await authenticate(deps, token, counter="", limit=0, now=now or datetime.now(UTC))
    return caller


async def sign_out_user(deps: Deps, user: User) -> None:
    caller = Caller(user.id, "user", user.session_id, expires_at=0, signed_in_at=0)
    await sign_out(deps, caller, everywhere=False, origin=Origin(datetime.now(UTC)))


@pytest.fixture
async def wire(servers: tuple[str, str]) -> AsyncIterator[Wire]:
    async with lay_wire(servers[1]) as wire:
        yield wire


@pytest.fixture
async def wired(deps: Deps, wire: Wire) -> AsyncIterator[Deps]:
    """Another worker, whose way to the same Valkey can be cut."""
    cache = Cache.connect(wire.url)
    yield replace(deps, cache=cache)
    await cache.close()


async def test_a_cached_credential_saves_the_database(deps: Deps, user: User) -> None:
    first = await authenticate_user(deps, user.token)
    assert first == await authenticate_user(replace(deps, db=NO_DATABASE), user.token)
    assert (first.user_id, first.role, first.scopes) == (user.id, "user", None)


async def test_an_entry_lives_no_longer_than_its_ttl(deps: Deps, user: User) -> None:
    await authenticate_user(deps, user.token)
    milliseconds = await deps.cache.run("PTTL", session_entry(user.session_id))
    assert 0 < milliseconds <= TTL * 1000


class CountedReads(Database):
    """Counts its reads."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.reads = 0

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        self.reads += 1
        async with self.db.read() as session:
            yield session


async def test_an_entry_in_use_is_refreshed_by_one_request_before_it_expires(deps: Deps, user: User) -> None:
    await authenticate_user(deps, user.token)
    name = session_entry(user.session_id)
    await deps.cache.run("PEXPIRE", name, int(REFRESH_WITHIN * 1000) - 100)
    counted = CountedReads(deps.db)
    await asyncio.gather(*(authenticate_user(replace(deps, db=counted), user.token) for _ in range(10)))
    await asyncio.gather(*deps.background._tasks)
    assert counted.reads == 1
    assert await deps.cache.run("PTTL", name) > REFRESH_WITHIN * 1000


async def test_an_entry_of_what_has_changed_in_the_meantime_is_not_refreshed(deps: Deps, user: User) -> None:
    await authenticate_user(deps, user.token)
    name = session_entry(user.session_id)
    await deps.cache.run("PEXPIRE", name, 300)
    async with deps.db.transaction() as session:
        await session.execute(update(Account).where(Account.id == user.id).values(role="admin"))
    assert (await authenticate_user(deps, user.token)).role == "user"
    await asyncio.gather(*deps.background._tasks)
    assert await deps.cache.run("PTTL", name) <= 300


async def test_a_refresh_under_way_does_not_bring_back_what_has_ended(deps: Deps, user: User) -> None:
    await authenticate_user(deps, user.token)
    await deps.cache.run("PEXPIRE", session_entry(user.session_id), 300)
    slow = PausedReads(deps.db)
    await authenticate_user(replace(deps, db=slow), user.token)
    await slow.has_read.wait()
    await sign_out_user(deps, user)
    slow.go.set()
    await asyncio.gather(*deps.background._tasks)
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token)


async def test_an_expired_token_is_refused_though_its_entry_lives(deps: Deps, user: User) -> None:
    await authenticate_user(deps, user.token)
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token, now=datetime.now(UTC) + timedelta(hours=1))


async def test_without_valkey_the_database_tells(wired: Deps, wire: Wire, user: User) -> None:
    wire.cut()
    assert (await authenticate_user(wired, user.token)).user_id == user.id
    async with wired.db.transaction() as session:
        await session.execute(delete(Session).where(Session.id == user.session_id))
    with pytest.raises(Unauthorized):
        await authenticate_user(wired, user.token)


@pytest.mark.parametrize("fault", ["cut", "hang"])
async def test_a_sign_out_that_can_not_reach_valkey_still_holds_on_other_workers(
    deps: Deps, wired: Deps, wire: Wire, user: User, fault: str
) -> None:
    await authenticate_user(wired, user.token)
    getattr(wire, fault)()
    await authenticate_user(deps, user.token)
    await sign_out_user(wired, user)
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token)


async def test_what_valkey_kept_over_a_pause_opens_nothing(wired: Deps, wire: Wire, user: User) -> None:
    await authenticate_user(wired, user.token)
    wire.cut()
    await sign_out_user(wired, user)
    wire.mend()
    with pytest.raises(Unauthorized):
        await authenticate_user(wired, user.token)


async def test_a_sign_out_that_reaches_valkey_does_not_wait(
    deps: Deps, user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_cache, "TTL", 3600.0)
    await authenticate_user(deps, user.token)
    async with asyncio.timeout(60):
        await sign_out_user(deps, user)
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token)


class PausedReads(Database):
    """Reads, and then takes until `go` is set to say so."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.has_read, self.go = asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncSession]:
        async with self.db.read() as session:
            yield session
        self.has_read.set()
        await self.go.wait()


async def test_a_request_under_way_does_not_cache_what_has_ended(deps: Deps, user: User) -> None:
    slow = PausedReads(deps.db)
    under_way = asyncio.create_task(authenticate_user(replace(deps, db=slow), user.token))
    await slow.has_read.wait()
    await sign_out_user(deps, user)
    slow.go.set()
    assert (await under_way).user_id == user.id  # it began before the end
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token)


async def test_a_value_that_comes_late_is_not_cached(deps: Deps, user: User) -> None:
    slow = PausedReads(deps.db)
    under_way = asyncio.create_task(authenticate_user(replace(deps, db=slow), user.token))
    await slow.has_read.wait()
    await sign_out_user(deps, user)
    await deps.cache.run("DEL", session_entry(user.session_id))  # the tombstone, as if it had expired
    await asyncio.sleep(TTL)
    slow.go.set()
    await under_way
    with pytest.raises(Unauthorized):
        await authenticate_user(deps, user.token)


async def test_nothing_to_invalidate_is_no_work(
    wired: Deps, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_cache, "TTL", 3600.0)
    wire.cut()
    async with asyncio.timeout(60):
        await invalidate(wired.cache)


@pytest.mark.parametrize(("idle", "written"), [(30, False), (90, True)])
async def test_last_use_is_written_once_a_minute(deps: Deps, user: User, idle: int, written: bool) -> None:
    now = datetime.now(UTC)
    before = now - timedelta(seconds=idle)
    async with deps.db.transaction() as session:
        await session.execute(update(Session).values(last_used_at=before))
    await authenticate_user(deps, user.token, now=now)
    await asyncio.gather(*deps.background._tasks)
    async with deps.db.transaction() as session:
        rows = await session.execute(select(Session.id, Session.last_used_at))
    used = {row.id: row.last_used_at for row in rows}
    assert used.pop(user.session_id) == (now if written else before)
    assert set(used.values()) == {before}
