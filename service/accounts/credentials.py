"""Ending what an account is let in by: its sessions, with all their tokens, its API keys, and its shares."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from db.database import Transaction
from db.queries.api_keys import delete_keys
from db.queries.password_resets import delete_resets
from db.queries.sessions import delete_sessions
from db.queries.shares import delete_shares
from service.cache import Cache
from service.security.credential_cache import invalidate


@dataclass(frozen=True, slots=True)
class StaleCredentials:
    """Sessions and keys that were deleted or changed, of which workers may have cached copies.

    Keys are those of programs and of shares.
    """

    session_ids: Sequence[uuid.UUID] = ()
    key_digests: Sequence[bytes] = ()

    async def invalidate(self, cache: Cache) -> None:
        """Drop the copies of all workers, before this returns. Call it after the commit."""
        await invalidate(cache, session_ids=self.session_ids, key_digests=self.key_digests)


async def end_credentials(
    transaction: Transaction, account_id: int, *, excluding: uuid.UUID | None = None
) -> StaleCredentials:
    """Delete an account's keys, shares, password resets and sessions, except the session `excluding`.

    Return what to invalidate after the commit.
    """
    await delete_resets(transaction, account_id)
    return StaleCredentials(
        await delete_sessions(transaction, account_id, excluding=excluding),
        [*await delete_keys(transaction, account_id), *await delete_shares(transaction, account_id)],
    )
