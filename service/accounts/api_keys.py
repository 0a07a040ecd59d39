"""API keys: credentials for programs, each limited to the routes of its scopes."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from db.database import Database
from db.models import ApiKey
from db.queries import api_keys as queries
from db.queries.auth_events import Origin, insert_auth_event
from service.accounts.authentication import KEY_PREFIX, Caller
from service.accounts.reauthentication import lock_caller, reauthenticate
from service.deps import Deps
from service.errors import NotFound
from service.security.credential_cache import invalidate
from service.security.quotas import check_quota
from service.security.random_keys import digest_of, refuse_past, write_key


async def create_key(
    deps: Deps,
    caller: Caller,
    *,
    current_password: str | None,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime | None,
    key_id: uuid.UUID,
    secret: bytes,
    origin: Origin,
) -> tuple[ApiKey, str]:
    """Create a key from a secret of 32 random bytes. Return its row, and the key, which is not stored.

    :raises Invalid: `expires_at` has passed
    :raises WrongPassword: that is not the current password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises QuotaExceeded: the user has as many keys that have not expired as it may have
    :raises BadToken: the session has ended since its token was checked
    """
    refuse_past(expires_at, origin.at)
    await reauthenticate(deps, caller, current_password, attempt_id=key_id, origin=origin)
    user_id = caller.user_id
    key = write_key(KEY_PREFIX, secret)
    async with deps.db.transaction() as session:
        await lock_caller(session, caller)
        check_quota(await queries.count_keys(session, user_id, origin.at), deps.quotas.keys, "keys")
        row = await queries.insert_key(
            session,
            id=key_id,
            account_id=user_id,
            name=name,
            scopes=sorted(set(scopes)),
            key_sha256=digest_of(key),
            created_at=origin.at,
            expires_at=expires_at,
        )
        await insert_auth_event(session, "key_created", user_id, origin)
    return row, key


async def list_keys(
    db: Database, user_id: int, *, after: tuple[datetime, uuid.UUID] | None, limit: int, offset: int
) -> list[ApiKey]:
    """List the user's keys, newest first; one more than `limit` if more follow."""
    async with db.read() as session:
        return await queries.select_keys(session, user_id, after=after, limit=limit + 1, offset=offset)


async def delete_key(deps: Deps, user_id: int, key_id: uuid.UUID, origin: Origin) -> None:
    """Delete one of the user's keys. When this returns, no worker accepts it any more.

    :raises NotFound: the user has no such key
    """
    async with deps.db.transaction() as session:
        digest = await queries.delete_key(session, user_id, key_id)
        if digest is None:
            raise NotFound(f"no key {key_id}")
        await insert_auth_event(session, "key_ended", user_id, origin)
    await invalidate(deps.cache, key_digests=[digest])
