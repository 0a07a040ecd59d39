"""What admins may do: see all accounts and what they do, change their role, and deactivate them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.database import Database, Transaction
from db.locks import lock_admins
from db.models import Account
from db.queries import accounts as queries
from db.queries.api_keys import select_key_digests
from db.queries.auth_events import AuthEventType, Origin, insert_auth_event
from db.queries.sessions import select_session_ids
from db.queries.users import Activity, Usage, select_activity, select_usage
from service.accounts.credentials import StaleCredentials, end_credentials
from service.deps import Deps
from service.errors import Conflict, NotFound


class LastAdmin(Conflict):
    """Without this admin there would be none."""

    def __init__(self) -> None:
        super().__init__("this is the last active admin; make another first", code="last_admin")


@dataclass(frozen=True, slots=True)
class UserOverview:
    """An account and what it has done."""

    account: Account
    usage: Usage


async def list_users(
    db: Database,
    *,
    now: datetime,
    after: tuple[int] | None,
    limit: int,
    offset: int,
    q: str | None = None,
    role: str | None = None,
) -> list[UserOverview]:
    """List users by id; one more than `limit` if more follow. `q` is a part of a login, e-mail or name."""
    last_id = after[0] if after else None
    async with db.transaction() as session:
        accounts = await queries.select_accounts(
            session, after=last_id, limit=limit + 1, offset=offset, q=q, role=role
        )
        usages = await select_usage(session, [account.id for account in accounts], now=now)
        return _overviews(accounts, usages)


async def get_user(db: Database, account_id: int, *, now: datetime) -> UserOverview:
    """Return a user as the list of them has it.

    :raises NotFound: there is no such user
    """
    async with db.transaction() as session:
        account = await queries.select_account(session, account_id)
        if account is None:
            raise NotFound(f"no user {account_id}")
        [usage] = await select_usage(session, [account_id], now=now)
        return UserOverview(account, usage)


async def update_user(
    deps: Deps, account_id: int, *, role: str | None = None, active: bool | None = None, origin: Origin
) -> UserOverview:
    """Change a user's role, deactivate or activate it, or both, each unless it is None.

    Deactivating deletes the user's sessions and keys. When this returns, the change holds on all workers.

    :raises NotFound: there is no such user
    :raises LastAdmin: there would be no active admin any more
    """
    values: dict[str, Any] = {} if role is None else {"role": role}
    if active is not None:
        values["active"] = active
    async with deps.db.transaction() as session:
        await lock_admins(session)
        before = await queries.lock_account(session, account_id)
        if before is None:
            raise NotFound(f"no user {account_id}")
        if role == "user" or active is False:
            await check_not_last_admin(session, before)
        for kind in _audit_types(before, role, active):
            await insert_auth_event(session, kind, account_id, origin)
        stale = await _end_or_select(session, account_id, end=active is False)
        account = await queries.update_account(session, account_id, values)
        if account is None:
            raise NotFound(f"no user {account_id}")
        usage = await select_usage(session, [account_id], now=origin.at)
    await stale.invalidate(deps.cache)
    return UserOverview(account, usage[0])


async def _end_or_select(transaction: Transaction, account_id: int, *, end: bool) -> StaleCredentials:
    """End the account's sessions and keys, or only return them: workers have copies with the old rights."""
    if end:
        return await end_credentials(transaction, account_id)
    return StaleCredentials(
        await select_session_ids(transaction, account_id), await select_key_digests(transaction, account_id)
    )


async def check_not_last_admin(transaction: Transaction, account: Account) -> None:
    """Check that an account that is about to lose its rights is not the last active admin.

    The caller holds the lock of the admins.

    :raises LastAdmin: it is
    """
    if account.role != "admin" or not account.active:
        return
    if await queries.select_any_admin(transaction, excluding=account.id) is None:
        raise LastAdmin


def _audit_types(account: Account, role: str | None, active: bool | None) -> list[AuthEventType]:
    """Return the types of the audit's events for what will change of an account."""
    types: list[AuthEventType] = ["role_changed"] if role not in (None, account.role) else []
    if active not in (None, account.active):
        types.append("activated" if active else "deactivated")
    return types


def _overviews(accounts: Sequence[Account], usages: Sequence[Usage]) -> list[UserOverview]:
    by_id = {usage.account_id: usage for usage in usages}
    return [UserOverview(account, by_id[account.id]) for account in accounts]


async def list_activity(
    db: Database, account_id: int, *, after: tuple[datetime, str] | None, limit: int, offset: int
) -> list[Activity]:
    """List what a user did, newest first; one more than `limit` if more follow.

    :raises NotFound: there is no such user
    """
    async with db.transaction() as session:
        if await queries.select_account(session, account_id) is None:
            raise NotFound(f"no user {account_id}")
        return await select_activity(session, account_id, after=after, limit=limit + 1, offset=offset)
