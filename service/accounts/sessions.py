"""Signing in and out."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from db.database import Database
from db.models import Account, Session
from db.queries import sessions as queries
from db.queries.accounts import select_account_by_name, update_password_hash
from db.queries.auth_events import Origin, insert_auth_event, insert_failed_login
from service.accounts.authentication import Caller
from service.deps import Deps
from service.errors import NotFound, Unauthorized
from service.security.credential_cache import invalidate
from service.security.identifiers import fold
from service.security.rate_limits import network
from service.security.sign_in_throttle import throttle_sign_in
from service.security.tokens import Claims, encode_token


@dataclass(frozen=True, slots=True)
class AccessToken:
    """The answer to a sign-in, with the names of RFC 6750."""

    access_token: str
    expires_in: int  # seconds


async def sign_in(
    deps: Deps, *, login: str, password: str, session_id: uuid.UUID, salt: bytes, origin: Origin
) -> AccessToken:
    """Create a session. `login` may be an e-mail; `salt` is for a new hash, if the stored one is outdated.

    :raises Unauthorized: there is no such active account, or this is not its password; nobody learns which
    :raises TooMany: too many sign-ins have failed, or too many passwords wait to be hashed
    """
    key = fold(login)
    async with throttle_sign_in(deps.cache, key, origin.address, session_id) as attempt:
        async with deps.db.read() as session:
            account = await select_account_by_name(session, key)
        active = account if account is not None and account.active else None
        expected = active.password_hash if active else None
        client = network(origin.address)
        if await deps.hasher.verify(password, expected, client=client) and active:
            token = await _create_session(
                deps, active, password, session_id=session_id, salt=salt, origin=origin
            )
            if token is not None:
                attempt.outcome = "succeeded"
                return token
        attempt.outcome = "failed"
        account_id = account.id if account else None
        async with deps.db.transaction() as session:
            await insert_failed_login(
                session, login=login, login_key=key, account_id=account_id, origin=origin
            )
        raise Unauthorized("no active account has this login and password", code="bad_credentials")


async def _create_session(
    deps: Deps, account: Account, password: str, *, session_id: uuid.UUID, salt: bytes, origin: Origin
) -> AccessToken | None:
    """Create a session after the right password was given. An outdated hash of it is replaced.

    Return None if the account was deactivated or its password changed in the meantime.
    """
    expires_at = _expiry(origin.at, deps.tokens.lifetime)
    current = account.password_hash
    stronger = None
    if deps.hasher.is_outdated(current):
        stronger = await deps.hasher.hash(password, salt=salt, client=network(origin.address))
    async with deps.db.transaction() as session:
        if stronger and await update_password_hash(session, account.id, old=current, new=stronger):
            current = stronger
        is_created = await queries.insert_session(
            session,
            session_id,
            account.id,
            password_hash=current,
            expires_at=expires_at,
            origin=origin,
        )
        if not is_created:
            return None
        await queries.delete_expired_sessions(session, account.id, origin.at)
        await insert_auth_event(session, "login", account.id, origin)
    claims = Claims(
        user_id=account.id,
        session_id=session_id,
        token_id=session_id,
        issued_at=origin.at,
        expires_at=expires_at,
    )
    token = encode_token(deps.tokens, claims)
    return AccessToken(token, int(deps.tokens.lifetime.total_seconds()))


def _expiry(now: datetime, lifetime: timedelta) -> datetime:
    """Return when a session ends: on a whole second, as a token tells no fractions."""
    return (now + lifetime).replace(microsecond=0)


async def sign_out(deps: Deps, caller: Caller, *, everywhere: bool, origin: Origin) -> None:
    """End the caller's session, or all of its account. When this returns, no worker accepts their tokens."""
    async with deps.db.transaction() as session:
        if everywhere:
            session_ids: Sequence[uuid.UUID] = await queries.delete_sessions(session, caller.user_id)
        else:
            session_ids = [caller.credential_id]
            await queries.delete_session(session, caller.user_id, caller.credential_id)
        await insert_auth_event(session, "logout", caller.user_id, origin)
    await invalidate(deps.cache, session_ids=session_ids)


async def list_sessions(
    db: Database,
    user_id: int,
    *,
    now: datetime,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Session]:
    """List the user's live sessions, newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_sessions(
            session, user_id, now=now, after=after, limit=limit + 1, offset=offset
        )


async def delete_session(deps: Deps, user_id: int, session_id: uuid.UUID, origin: Origin) -> None:
    """End one of the user's sessions. When this returns, no worker accepts its token any more.

    :raises NotFound: the user has no such session
    """
    async with deps.db.transaction() as session:
        if not await queries.delete_session(session, user_id, session_id):
            raise NotFound(f"no session {session_id}")
        await insert_auth_event(session, "logout", user_id, origin)
    await invalidate(deps.cache, session_ids=[session_id])
