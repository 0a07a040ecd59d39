"""Ending what an account is let in by: its sessions, with all their tokens, and its API keys."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Transaction
from db.queries.api_keys import delete_keys
from db.queries.password_resets import delete_resets
from db.queries.sessions import delete_sessions
from service.cache import Cache
from service.security.credential_cache import invalidate


@dataclass(frozen=True, slots=True)
class StaleCredentials:
    """Sessions and keys that are deleted or changed, and of which workers may have a copy."""

    session_ids: Sequence[uuid.UUID] = ()
    key_digests: Sequence[bytes] = ()

    async def invalidate(self, cache: Cache) -> None:
        """Make what was just committed about them hold on all workers, before this returns."""
        await invalidate(cache, session_ids=self.session_ids, key_digests=self.key_digests)


async def end_credentials(
    transaction: Transaction, account_id: int, *, excluding: uuid.UUID | None = None
) -> StaleCredentials:
    """Delete the keys of an account, its password resets, and its sessions but for `excluding`."""
    await delete_resets(transaction, account_id)
    return StaleCredentials(
        await delete_sessions(transaction, account_id, excluding=excluding),
        await delete_keys(transaction, account_id),
    )
