"""Refreshing a session: a refresh token gets a new pair, once."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from db.database import Transaction
from db.queries import refresh_tokens as queries
from db.queries.auth_events import Origin, insert_auth_event
from db.queries.refresh_tokens import RefreshTokenRow
from db.queries.sessions import LiveSession, delete_session, lock_live_session, update_session_expiry
from service.accounts.token_pairs import TIMES, PairSeed, PairTimes, SessionTimes, TokenPair, write_pair
from service.deps import Deps
from service.security.credential_cache import invalidate
from service.security.random_keys import digest_of
from service.security.refresh_tokens import seal_successor, write_refresh_token
from service.security.tokens import BadToken


@dataclass(frozen=True, slots=True)
class LockedToken:
    """A refresh token as it was sent, its row, and its session, which is locked."""

    text: str
    row: RefreshTokenRow
    session: LiveSession


async def refresh_session(
    deps: Deps, refresh_token: str, *, seed: PairSeed, origin: Origin, times: SessionTimes = TIMES
) -> TokenPair:
    """Return a new pair for a refresh token, which works once.

    Sent again within `times.reuse` of its first use, it gets the same pair: two tabs have sent it at once.
    Sent again later, one of the two senders has stolen it: its session ends for both.

    :raises BadToken: it is not valid, or no longer, or was used before
    """
    async with deps.db.transaction() as transaction:
        token = await _lock(transaction, refresh_token)
        live, used_at = token.session, token.row.used_at
        if min(token.row.expires_at, live.expires_at) <= origin.at:
            raise BadToken
        if used_at is None:
            pair_times = PairTimes.make(deps.tokens, live.created_at, origin.at, times)
            await _replace(transaction, token, seed, pair_times)
            return write_pair(deps.tokens, pair_times, seed, user_id=live.account_id, session_id=live.id)
        if origin.at - used_at <= times.reuse:
            created_at, seed = await _successor(transaction, token)
            pair_times = PairTimes.make(deps.tokens, live.created_at, created_at, times)
            return write_pair(deps.tokens, pair_times, seed, user_id=live.account_id, session_id=live.id)
        await insert_auth_event(transaction, "refresh_reused", live.account_id, origin)
        await delete_session(transaction, live.account_id, live.id)
    await invalidate(deps.cache, session_ids=[live.id])
    raise BadToken


async def _lock(transaction: Transaction, refresh_token: str) -> LockedToken:
    """Lock the session of a refresh token: two uses come one after the other, before its end or after.

    :raises BadToken: there is no such token, or its session has ended
    """
    digest = digest_of(refresh_token)
    unlocked = await queries.select_refresh_token(transaction, digest)
    if unlocked is None:
        raise BadToken
    live = await lock_live_session(transaction, unlocked.session_id)
    row = await queries.select_refresh_token(transaction, digest)
    if live is None or row is None:
        raise BadToken
    return LockedToken(refresh_token, row, live)


async def _replace(transaction: Transaction, token: LockedToken, seed: PairSeed, times: PairTimes) -> None:
    """Replace a token that was not used before by that of a new pair."""
    await create_refresh_token(transaction, token.session.id, seed, times)
    await queries.update_used(
        transaction,
        token.row.id,
        used_at=times.created_at,
        successor_id=seed.token_id,
        sealed_successor=seal_successor(token.text, seed.secret),
    )
    await update_session_expiry(transaction, token.session.id, times.expires_at, used_at=times.created_at)


async def _successor(transaction: Transaction, token: LockedToken) -> tuple[datetime, PairSeed]:
    """Return when the pair was made that a used token has got, and its seed."""
    successor_id, sealed = token.row.successor_id, token.row.sealed_successor
    created_at = await queries.select_creation(transaction, successor_id) if successor_id else None
    if created_at is None or successor_id is None or sealed is None:
        raise BadToken
    return created_at, PairSeed(successor_id, seal_successor(token.text, sealed))


async def create_refresh_token(
    transaction: Transaction, session_id: uuid.UUID, seed: PairSeed, times: PairTimes
) -> None:
    """Insert the refresh token of a new pair. Of the access token nothing is stored but its session."""
    await queries.insert_refresh_token(
        transaction,
        seed.token_id,
        session_id,
        token_sha256=digest_of(write_refresh_token(seed.secret)),
        created_at=times.created_at,
        expires_at=times.refresh_expires_at,
    )
