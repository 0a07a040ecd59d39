"""What admins see and end of what a user is let in by: its sessions and its API keys."""

import uuid
from datetime import datetime

from db.database import Database, Transaction
from db.models import ApiKey, Session
from db.queries import api_keys, sessions
from db.queries.accounts import lock_account, select_account
from db.queries.auth_events import Origin, insert_auth_event
from service.accounts.credentials import StaleCredentials
from service.deps import Deps
from service.errors import NotFound


async def list_sessions(
    db: Database,
    account_id: int,
    *,
    now: datetime,
    after: tuple[datetime, uuid.UUID] | None,
    limit: int,
    offset: int,
) -> list[Session]:
    """List a user's live sessions, newest first; one more than `limit` if more follow.

    :raises NotFound: there is no such user
    """
    async with db.transaction() as session:
        await _check_user(session, account_id)
        return await sessions.select_sessions(
            session, account_id, now=now, after=after, limit=limit + 1, offset=offset
        )


async def list_keys(
    db: Database, account_id: int, *, after: tuple[datetime, uuid.UUID] | None, limit: int, offset: int
) -> list[ApiKey]:
    """List a user's keys, newest first; one more than `limit` if more follow.

    :raises NotFound: there is no such user
    """
    async with db.transaction() as session:
        await _check_user(session, account_id)
        return await api_keys.select_keys(session, account_id, after=after, limit=limit + 1, offset=offset)


async def end_sessions(
    deps: Deps, account_id: int, *, session_id: uuid.UUID | None = None, origin: Origin
) -> None:
    """End one of a user's sessions, or all. When this returns, no worker accepts their tokens any more.

    :raises NotFound: there is no such user, or it has no such session
    """
    async with deps.db.transaction() as session:
        await _lock_user(session, account_id)
        if session_id is None:
            ended = await sessions.delete_sessions(session, account_id)
        elif await sessions.delete_session(session, account_id, session_id):
            ended = [session_id]
        else:
            raise NotFound(f"no session {session_id}")
        if ended:
            await insert_auth_event(session, "session_ended", account_id, origin)
    await StaleCredentials(session_ids=ended).invalidate(deps.cache)


async def end_keys(deps: Deps, account_id: int, *, key_id: uuid.UUID | None = None, origin: Origin) -> None:
    """End one of a user's keys, or all. When this returns, no worker accepts them any more.

    :raises NotFound: there is no such user, or it has no such key
    """
    async with deps.db.transaction() as session:
        await _lock_user(session, account_id)
        if key_id is None:
            digests = await api_keys.delete_keys(session, account_id)
        else:
            digest = await api_keys.delete_key(session, account_id, key_id)
            if digest is None:
                raise NotFound(f"no key {key_id}")
            digests = [digest]
        if digests:
            await insert_auth_event(session, "key_ended", account_id, origin)
    await StaleCredentials(key_digests=digests).invalidate(deps.cache)


async def _check_user(transaction: Transaction, account_id: int) -> None:
    if await select_account(transaction, account_id) is None:
        raise NotFound(f"no user {account_id}")


async def _lock_user(transaction: Transaction, account_id: int) -> None:
    if await lock_account(transaction, account_id) is None:
        raise NotFound(f"no user {account_id}")
