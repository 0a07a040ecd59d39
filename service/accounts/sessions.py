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
from service.accounts.authentication import Caller, session_copy
from service.deps import Deps
from service.errors import NotFound, Unauthorized
from service.security.credential_cache import forget
from service.security.identifiers import fold
from service.security.sign_in_throttle import attempt
from service.security.tokens import Claims, encode_token


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a sign-in is answered with; RFC 6750's names."""

    access_token: str
    expires_in: int  # seconds


async def sign_in(
    deps: Deps, *, login: str, password: str, session_id: uuid.UUID, salt: bytes, origin: Origin
) -> AccessToken:
    """Open a session. `login` may be an e-mail; `salt` is used if the password is hashed anew.

    :raises Unauthorized: there is no such active account, or this is not its password; nobody learns which
    :raises TooMany: too many such failures
    """
    key = fold(login)
    async with attempt(deps.cache, key, origin.address, session_id) as trying:
        async with deps.db.read() as session:
            account = await select_account_by_name(session, key)
        known = account if account is not None and account.active else None
        if await deps.hasher.verify(password, known.password_hash if known else None) and known:
            opened = await _open_session(
                deps, known, password, session_id=session_id, salt=salt, origin=origin
            )
            if opened is not None:
                trying.succeeded()
                return opened
        trying.failed()
        async with deps.db.transaction() as session:
            found = account.id if account else None
            await insert_failed_login(session, login=login, login_key=key, account_id=found, origin=origin)
        raise Unauthorized("no active account has this login and password", code="bad_credentials")


async def _open_session(
    deps: Deps, account: Account, password: str, *, session_id: uuid.UUID, salt: bytes, origin: Origin
) -> AccessToken | None:
    """None if the account was closed or its password changed while the given one was hashed."""
    expires_at = _expiry(origin.at, deps.tokens.lifetime)
    current = account.password_hash
    renewed = await deps.hasher.hash(password, salt=salt) if deps.hasher.outdated(current) else None
    async with deps.db.transaction() as session:
        if renewed and await update_password_hash(session, account.id, old=current, new=renewed):
            current = renewed
        opened = await queries.insert_session(
            session,
            session_id,
            account.id,
            password_hash=current,
            expires_at=expires_at,
            origin=origin,
        )
        if not opened:
            return None
        await queries.delete_expired_sessions(session, account.id, origin.at)
        await insert_auth_event(session, "login", account.id, origin)
    claims = Claims(account.id, session_id, expires_at)
    token = encode_token(deps.tokens, claims, now=origin.at)
    return AccessToken(token, int(deps.tokens.lifetime.total_seconds()))


def _expiry(now: datetime, lifetime: timedelta) -> datetime:
    """The token's second and the row's instant are the same."""
    return (now + lifetime).replace(microsecond=0)


async def sign_out(deps: Deps, caller: Caller, *, everywhere: bool, origin: Origin) -> None:
    """End the caller's session or all of its account's: dead everywhere when this returns."""
    async with deps.db.transaction() as session:
        if everywhere:
            ended: Sequence[uuid.UUID] = await queries.delete_sessions(session, caller.user_id)
        else:
            ended = [caller.credential_id]
            await queries.delete_session(session, caller.user_id, caller.credential_id)
        await insert_auth_event(session, "logout", caller.user_id, origin)
    await forget(deps.cache, [session_copy(session_id) for session_id in ended])


async def list_sessions(
    db: Database,
    user_id: int,
    *,
    now: datetime,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Session]:
    """Live sessions, newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_sessions(
            session, user_id, now=now, after=after, limit=limit + 1, offset=offset
        )


async def end_session(deps: Deps, user_id: int, session_id: uuid.UUID, origin: Origin) -> None:
    """End one of the user's sessions; its token is dead everywhere when this returns."""
    async with deps.db.transaction() as session:
        if not await queries.delete_session(session, user_id, session_id):
            raise NotFound(f"no session {session_id}")
        await insert_auth_event(session, "logout", user_id, origin)
    await forget(deps.cache, [session_copy(session_id)])
