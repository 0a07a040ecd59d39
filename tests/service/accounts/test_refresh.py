"""Refresh tokens: each works once, and a session lives no longer than it may. Times are arguments."""

import asyncio
import secrets
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from db.database import Database
from db.models import ApiKey, AuthEvent, RefreshToken, Session
from service.accounts.authentication import Caller, Origin, authenticate
from service.accounts.expiry import delete_expired_before
from service.accounts.refresh import refresh_session
from service.accounts.sessions import SignInSeed, sign_in, sign_out
from service.accounts.token_pairs import TIMES, PairSeed, TokenPair
from service.cache import Cache
from service.deps import Deps
from service.errors import Unauthorized
from service.security.random_keys import digest_of
from service.security.refresh_tokens import seal_successor, write_refresh_token
from service.security.tokens import decode_token
from tests.support.accounts import add_account
from tests.support.command_line import PASSWORD

START = datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=UTC)
SECOND, MINUTE, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(days=1)


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Refreshes at once need a connection each."""
    return committed_db


@pytest.fixture
async def account_id(deps: Deps) -> int:
    for login in ("noise-1", "noise-2"):
        await add_account(deps, login)
        await sign_in_at(deps, START, login=login)
    return await add_account(deps, "anna")


async def sign_in_at(deps: Deps, now: datetime, *, login: str = "anna") -> TokenPair:
    seed = SignInSeed(uuid.uuid4(), bytes(16), new_seed())
    return await sign_in(deps, names=[login], password=PASSWORD, seed=seed, origin=Origin(now))


def new_seed() -> PairSeed:
    return PairSeed(uuid.uuid4(), secrets.token_bytes(32))


async def refresh_at(deps: Deps, refresh_token: str, now: datetime) -> TokenPair:
    return await refresh_session(deps, refresh_token, seed=new_seed(), origin=Origin(now, "192.0.2.7"))


async def caller_at(deps: Deps, access_token: str, now: datetime) -> Caller:
    caller, _ = await authenticate(deps, access_token, counter="", limit=0, now=now)
    return caller


async def is_refused(deps: Deps, refresh_token: str, now: datetime) -> bool:
    code = ""
    try:
        await refresh_at(deps, refresh_token, now)
    except Unauthorized as refusal:
        code = refusal.code
    assert code in ("", "bad_token")
    return code == "bad_token"


async def is_dead(deps: Deps, access_token: str, now: datetime) -> bool:
    try:
        await caller_at(deps, access_token, now)
    except Unauthorized:
        return True
    return False


async def audit(deps: Deps) -> list[str]:
    async with deps.db.read() as session:
        rows = await session.scalars(select(AuthEvent.type).order_by(AuthEvent.id))
        return [kind for kind in rows if kind != "login"]


async def test_a_refresh_gives_a_new_pair_of_the_same_session(deps: Deps, account_id: int) -> None:
    first = await sign_in_at(deps, START)
    now = START + 29 * MINUTE
    second = await refresh_at(deps, first.refresh_token, now)
    assert (second.expires_in, second.refresh_expires_in) == (1800, 14 * 24 * 3600)
    assert len({first.access_token, second.access_token, first.refresh_token, second.refresh_token}) == 4
    claims = [decode_token(deps.tokens, pair.access_token, now=now) for pair in (first, second)]
    assert claims[0].session_id == claims[1].session_id
    assert claims[0].token_id != claims[1].token_id
    assert (await caller_at(deps, second.access_token, now + 29 * MINUTE)).user_id == account_id
    assert await is_dead(deps, first.access_token, now + 2 * MINUTE)


async def test_the_database_holds_no_refresh_token(deps: Deps, account_id: int) -> None:
    first = await sign_in_at(deps, START)
    second = await refresh_at(deps, first.refresh_token, START)
    async with deps.db.read() as session:
        rows = (await session.execute(select(RefreshToken))).scalars().all()
    stored = repr([vars(row) for row in rows])
    for pair in (first, second):
        assert pair.refresh_token not in stored
        assert digest_of(pair.refresh_token) in {row.token_sha256 for row in rows}


async def test_two_tabs_at_once_get_the_same_pair(deps: Deps, account_id: int) -> None:
    first = await sign_in_at(deps, START)
    moments = [START + DAY + number * timedelta(seconds=0.5) for number in range(8)]
    pairs = await asyncio.gather(*(refresh_at(deps, first.refresh_token, moment) for moment in moments))
    assert len(set(pairs)) == 1
    late = await refresh_at(deps, first.refresh_token, moments[0] + TIMES.reuse)
    assert late == pairs[0]
    assert not await is_refused(deps, pairs[0].refresh_token, START + DAY + MINUTE)
    assert await audit(deps) == []


async def test_a_tab_that_lags_behind_two_refreshes_does_no_harm(deps: Deps, account_id: int) -> None:
    first = await sign_in_at(deps, START)
    second = await refresh_at(deps, first.refresh_token, START + 1 * SECOND)
    third = await refresh_at(deps, second.refresh_token, START + 2 * SECOND)
    assert await refresh_at(deps, first.refresh_token, START + 3 * SECOND) == second
    assert await refresh_at(deps, second.refresh_token, START + 4 * SECOND) == third


@pytest.mark.parametrize("valkey", ["up", "away"])
async def test_a_token_used_again_later_ends_its_session_and_no_other(
    deps: Deps, account_id: int, valkey: str
) -> None:
    away = Cache.connect("redis://127.0.0.1:1")
    here = deps if valkey == "up" else replace(deps, cache=away)
    first = await sign_in_at(deps, START)
    other = await sign_in_at(deps, START)
    second = await refresh_at(deps, first.refresh_token, START)
    now = START + TIMES.reuse + SECOND
    await caller_at(deps, second.access_token, now)  # so that another worker has a copy
    assert await is_refused(here, first.refresh_token, now)
    assert await is_dead(deps, second.access_token, now)
    assert await is_dead(here, second.access_token, now)
    assert await is_refused(deps, second.refresh_token, now)
    assert await audit(deps) == ["refresh_reused"]
    assert (await caller_at(deps, other.access_token, now)).user_id == account_id
    assert not await is_refused(deps, other.refresh_token, now)
    await away.close()


async def test_the_audit_tells_from_where_a_token_was_used_again(deps: Deps, account_id: int) -> None:
    first = await sign_in_at(deps, START)
    await refresh_at(deps, first.refresh_token, START)
    assert await is_refused(deps, first.refresh_token, START + MINUTE)
    async with deps.db.read() as session:
        event = (await session.scalars(select(AuthEvent).where(AuthEvent.type == "refresh_reused"))).one()
    assert (event.account_id, str(event.address), event.at) == (account_id, "192.0.2.7", START + MINUTE)


async def test_a_refresh_token_lasts_14_days(deps: Deps, account_id: int) -> None:
    pair = await sign_in_at(deps, START)
    assert await is_refused(deps, pair.refresh_token, START + 14 * DAY)
    assert not await is_refused(deps, pair.refresh_token, START + 14 * DAY - SECOND)
    assert await audit(deps) == []


async def test_a_session_lasts_90_days(deps: Deps, account_id: int) -> None:
    pair, now = await sign_in_at(deps, START), START
    while now + 13 * DAY < START + 90 * DAY:
        now += 13 * DAY
        pair = await refresh_at(deps, pair.refresh_token, now)
    assert pair.refresh_expires_in == (START + 90 * DAY - now).total_seconds()
    last = START + 90 * DAY - MINUTE
    pair = await refresh_at(deps, pair.refresh_token, last)
    assert (pair.expires_in, pair.refresh_expires_in) == (60, 60)
    assert not await is_dead(deps, pair.access_token, last + 30 * SECOND)
    assert await is_dead(deps, pair.access_token, last + MINUTE)
    assert await is_refused(deps, pair.refresh_token, last + MINUTE)


@pytest.mark.slow
async def test_a_program_works_for_a_week_on_one_password(deps: Deps, account_id: int) -> None:
    """Refreshes as its access token expires, 336 times, and is out when it signs out on another worker."""
    pair, now = await sign_in_at(deps, START), START
    while now < START + 7 * DAY:
        assert (await caller_at(deps, pair.access_token, now)).user_id == account_id
        now += pair.expires_in * SECOND
        pair = await refresh_at(deps, pair.refresh_token, now)
    caller = await caller_at(deps, pair.access_token, now)
    other_worker = replace(deps, db=Database.connect(str(deps.db._url), pool_size=2))
    await sign_out(other_worker, caller, everywhere=True, origin=Origin(now))
    assert await is_dead(deps, pair.access_token, now)
    assert await is_refused(deps, pair.refresh_token, now)
    await other_worker.db.close()


@pytest.mark.parametrize("everywhere", [False, True])
async def test_signing_out_ends_the_refresh_token(deps: Deps, account_id: int, everywhere: bool) -> None:
    pair, other = await sign_in_at(deps, START), await sign_in_at(deps, START)
    caller = await caller_at(deps, pair.access_token, START)
    await sign_out(deps, caller, everywhere=everywhere, origin=Origin(START))
    assert await is_refused(deps, pair.refresh_token, START)
    assert await is_refused(deps, other.refresh_token, START) == everywhere
    async with deps.db.read() as session:
        assert await session.scalar(select(func.count()).select_from(RefreshToken)) == (
            2 if everywhere else 4
        )


@pytest.mark.parametrize(
    "text",
    ["x", "", "trawl_refresh_", write_refresh_token(bytes(32)), "\udcff", "trawl_" + "a" * 43, "\0"],
)
async def test_text_is_not_a_refresh_token(deps: Deps, text: str) -> None:
    assert await is_refused(deps, text, START)


async def test_an_access_token_does_not_refresh_and_a_refresh_token_opens_nothing(
    deps: Deps, account_id: int
) -> None:
    pair = await sign_in_at(deps, START)
    assert await is_refused(deps, pair.access_token, START)
    assert await is_dead(deps, pair.refresh_token, START)


async def test_expired_sessions_tokens_and_keys_are_deleted_and_no_others(
    deps: Deps, account_id: int
) -> None:
    old = [await sign_in_at(deps, START) for _ in range(3)]
    live_pair = await refresh_at(deps, old[0].refresh_token, START + DAY)
    async with deps.db.transaction() as session:
        for number, expires_at in enumerate((START, START + 20 * DAY, None)):
            values = {"name": str(number), "scopes": [], "key_sha256": bytes([number])}
            session.add(ApiKey(id=uuid.uuid4(), account_id=account_id, expires_at=expires_at, **values))
    await delete_expired_before(deps.db, START + 14 * DAY, batch=1)
    async with deps.db.read() as session:
        sessions = (await session.scalars(select(Session))).all()
        tokens = (await session.scalars(select(RefreshToken.token_sha256))).all()
        keys = (await session.scalars(select(ApiKey.name).order_by(ApiKey.name))).all()
    assert [each.account_id for each in sessions] == [account_id]
    assert tokens == [digest_of(live_pair.refresh_token)]
    assert keys == ["1", "2"]
    assert not await is_refused(deps, live_pair.refresh_token, START + 14 * DAY)


def test_a_successor_is_unsealed_by_its_token_alone() -> None:
    token, other = write_refresh_token(b"a" * 32), write_refresh_token(b"b" * 32)
    sealed = seal_successor(token, b"s" * 32)
    assert seal_successor(token, sealed) == b"s" * 32
    assert seal_successor(other, sealed) != b"s" * 32
