"""Shares: links that show one view of the dashboard to whoever has them, for as long as they last."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from db.database import Database
from db.models import Share
from db.queries import shares as queries
from db.queries.auth_events import Origin, insert_auth_event
from db.queries.reports import select_newest_visit_time
from service.accounts.authentication import SHARE_PREFIX, Caller
from service.accounts.reauthentication import lock_caller
from service.deps import Deps
from service.errors import NotFound
from service.security.credential_cache import invalidate
from service.security.quotas import check_quota
from service.security.random_keys import digest_of, refuse_past, write_key


async def create_share(
    deps: Deps,
    caller: Caller,
    *,
    view: str,
    parameters: Mapping[str, str],
    expires_at: datetime | None,
    share_id: uuid.UUID,
    secret: bytes,
    origin: Origin,
) -> tuple[Share, str]:
    """Create a share from a secret of 32 random bytes. Return its row, and its key, which is not stored.

    :raises Invalid: `expires_at` has passed
    :raises QuotaExceeded: the user has as many shares as it may have
    :raises BadToken: the session has ended since its token was checked
    """
    refuse_past(expires_at, origin.at)
    user_id = caller.user_id
    key = write_key(SHARE_PREFIX, secret)
    async with deps.db.transaction() as session:
        await lock_caller(session, caller)
        await queries.delete_expired_shares(session, user_id, origin.at)
        check_quota(await queries.count_shares(session, user_id), deps.quotas.shares, "shares")
        row = await queries.insert_share(
            session,
            id=share_id,
            account_id=user_id,
            view=view,
            parameters=dict(parameters),
            key_sha256=digest_of(key),
            created_at=origin.at,
            expires_at=expires_at,
        )
        await insert_auth_event(session, "share_created", user_id, origin)
    return row, key


async def list_shares(
    db: Database, user_id: int, *, after: tuple[datetime, uuid.UUID] | None, limit: int, offset: int
) -> list[Share]:
    """List the user's shares, newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_shares(session, user_id, after=after, limit=limit + 1, offset=offset)


async def delete_share(deps: Deps, user_id: int, share_id: uuid.UUID, origin: Origin) -> None:
    """Delete one of the user's shares. When this returns, no worker accepts its key any more.

    :raises NotFound: the user has no such share
    """
    async with deps.db.transaction() as session:
        digest = await queries.delete_share(session, user_id, share_id)
        if digest is None:
            raise NotFound(f"no share {share_id}")
        await insert_auth_event(session, "share_ended", user_id, origin)
    await invalidate(deps.cache, key_digests=[digest])


async def get_newest_visit_time(db: Database) -> datetime | None:
    """Return when the newest visit was, at which the periods of the dashboard end; None if there is none."""
    async with db.raw() as raw:
        return await select_newest_visit_time(raw)
