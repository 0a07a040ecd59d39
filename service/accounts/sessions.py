"""Signing in and out."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from db.database import Database
from db.models import Account, Session
from db.queries import sessions as queries
from db.queries.accounts import lock_account, select_account_by_name, update_password_hash
from db.queries.auth_events import Origin, insert_auth_event, insert_failed_login
from service.accounts.authentication import Caller
from service.accounts.credentials import StaleCredentials, end_credentials
from service.accounts.refresh import create_refresh_token
from service.accounts.second_factor import WrongCode, use_code
from service.accounts.token_pairs import PairSeed, PairTimes, TokenPair, write_pair
from service.deps import Deps
from service.errors import NotFound, Unauthorized
from service.security.credential_cache import invalidate
from service.security.identifiers import fold
from service.security.rate_limits import network
from service.security.sealing import sealer_of
from service.security.sign_in_throttle import account_subject, name_subject, throttle_sign_in


@dataclass(frozen=True, slots=True)
class SignInSeed:
    """The random parts of a sign-in: the salt is for a new hash, if the stored one is outdated."""

    session_id: uuid.UUID
    salt: bytes
    pair: PairSeed


async def sign_in(
    deps: Deps,
    *,
    names: Sequence[str],
    password: str,
    code: str | None = None,
    seed: SignInSeed,
    origin: Origin,
) -> TokenPair:
    """Create a session of the account that has all these names, as its login or its e-mail.

    A wrong code is refused, throttled and noted as a wrong password is. That a code is needed is told to
    whoever has the password alone.

    :raises Unauthorized: there is no such active account, or this is not its password or code; nobody learns
        which
    :raises TotpNeeded: this is its password, and it has a second factor
    :raises TooMany: too many sign-ins have failed, or too many passwords wait to be hashed
    """
    keys = [fold(name) for name in names]
    account = await _get_account(deps.db, keys)
    subject = account_subject(account.id) if account else name_subject(keys[0])
    async with throttle_sign_in(deps.cache, subject, origin.address, seed.session_id) as attempt:
        active = account if account is not None and account.active else None
        expected = active.password_hash if active else None
        client = network(origin.address)
        if await deps.hasher.verify(password, expected, client=client) and active:
            pair = None
            with suppress(WrongCode):
                pair = await _create_session(deps, active, password, seed, origin, code=code)
            if pair is not None:
                attempt.outcome = "succeeded"
                return pair
        attempt.outcome = "failed"
        await _record_failure(deps.db, names[0], account, origin)
        raise Unauthorized("no active account has this login and password", code="bad_credentials")


async def _record_failure(db: Database, name: str, account: Account | None, origin: Origin) -> None:
    """Add a failed sign-in to the audit, with the name that was typed, even if no account has it."""
    account_id = account.id if account else None
    async with db.transaction() as session:
        await insert_failed_login(
            session, login=name, login_key=fold(name), account_id=account_id, origin=origin
        )


async def _get_account(db: Database, keys: Sequence[str]) -> Account | None:
    """Return the account that has all of the folded names; None if there is none."""
    async with db.read() as session:
        accounts = [await select_account_by_name(session, key) for key in keys]
    ids = {account.id if account else None for account in accounts}
    return accounts[0] if len(ids) == 1 else None


async def _create_session(
    deps: Deps, account: Account, password: str, seed: SignInSeed, origin: Origin, *, code: str | None
) -> TokenPair | None:
    """Create a session after the right password was given. An outdated hash of it is replaced.

    Return None if the account was deactivated or its password changed in the meantime.

    :raises TotpNeeded: the account has a second factor, and there is no code
    :raises WrongCode: the code is wrong, or was used before
    """
    times = PairTimes.make(deps.tokens, origin.at, origin.at)
    current = account.password_hash
    stronger = None
    if deps.hasher.is_outdated(current):
        stronger = await deps.hasher.hash(password, salt=seed.salt, client=network(origin.address))
    async with deps.db.transaction() as session:
        if stronger and await update_password_hash(session, account.id, old=current, new=stronger):
            current = stronger
        is_created = await queries.insert_session(
            session,
            seed.session_id,
            account.id,
            password_hash=current,
            expires_at=times.expires_at,
            origin=origin,
        )
        if not is_created:
            return None
        await use_code(session, sealer_of(deps.tokens), account.id, code, origin)
        await create_refresh_token(session, seed.session_id, seed.pair, times)
        await queries.delete_expired_sessions(session, account.id, origin.at)
        await insert_auth_event(session, "login", account.id, origin)
    return write_pair(deps.tokens, times, seed.pair, user_id=account.id, session_id=seed.session_id)


async def sign_out(deps: Deps, caller: Caller, *, everywhere: bool, origin: Origin) -> None:
    """End the caller's session, or all sessions and keys of its account.

    When this returns, no worker accepts them any more.
    """
    stale = StaleCredentials([caller.credential_id])
    async with deps.db.transaction() as session:
        if everywhere:
            await lock_account(session, caller.user_id)  # no key or session is made meanwhile
            stale = await end_credentials(session, caller.user_id)
        else:
            await queries.delete_session(session, caller.user_id, caller.credential_id)
        await insert_auth_event(session, "logout", caller.user_id, origin)
    await stale.invalidate(deps.cache)


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
        await insert_auth_event(session, "session_ended", user_id, origin)
    await invalidate(deps.cache, session_ids=[session_id])
