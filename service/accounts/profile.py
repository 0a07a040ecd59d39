"""What an account changes about itself, up to its deletion."""

import uuid
from typing import Any

from db.database import Database, Transaction
from db.locks import lock_admins, lock_names
from db.models import Account
from db.queries import accounts as queries
from db.queries.auth_events import Origin, insert_auth_event
from service.accounts.accounts import NameTaken
from service.accounts.admin import check_not_last_admin
from service.accounts.authentication import Caller
from service.accounts.credentials import StaleCredentials, end_credentials
from service.accounts.reauthentication import WrongPassword, lock_caller, reauthenticate
from service.deps import Deps
from service.errors import NotFound
from service.security.identifiers import fold_to_store
from service.security.passwords import check_new_password
from service.security.rate_limits import network
from service.security.tokens import BadToken

COLUMNS = ("first_name", "last_name", "email")
PROTECTED = frozenset({"email", "password"})


async def update_profile(
    deps: Deps, caller: Caller, changes: dict[str, Any], *, attempt_id: uuid.UUID, salt: bytes, origin: Origin
) -> Account:
    """Change what `changes` names: first_name, last_name, email or password.

    An e-mail or a password needs `current_password`, or a sign-in a short while ago. A new password ends the
    account's other sessions and all its keys.

    :raises WrongPassword: that is not the current password
    :raises Invalid: the new password is easy to guess
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises TooMany: too many sign-ins of the account have failed, or too many passwords wait to be hashed
    :raises NameTaken: another account has the e-mail
    :raises BadToken: the account or its session has ended since its token was checked
    """
    values = _columns(changes)
    old_hash = await _check_password(deps, caller, changes) if "password" in changes else ""
    current_password = changes.get("current_password")
    if current_password is not None or PROTECTED & changes.keys():
        await reauthenticate(deps, caller, current_password, attempt_id=attempt_id, origin=origin)
    new_hash = ""
    if old_hash:
        client = network(origin.address)
        new_hash = await deps.hasher.hash(changes["password"], salt=salt, client=client)
    stale = StaleCredentials()
    async with deps.db.transaction() as session:
        await _take_email(session, caller.user_id, values.get("email_key"))
        if PROTECTED & changes.keys():
            await lock_caller(session, caller)
        if new_hash:
            if not await queries.update_password_hash(session, caller.user_id, old=old_hash, new=new_hash):
                raise WrongPassword
            stale = await end_credentials(session, caller.user_id, excluding=caller.credential_id)
            await insert_auth_event(session, "password_changed", caller.user_id, origin)
        account = await queries.update_account(session, caller.user_id, values)
        if account is None:
            raise BadToken
    await stale.invalidate(deps.cache)
    return account


def _columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of the account's row to change, but for the password's."""
    values = {name: changes[name] for name in COLUMNS if name in changes}
    if "email" in values:
        values["email_key"] = fold_to_store(values["email"], "/email") if values["email"] else None
    return values


async def _check_password(deps: Deps, caller: Caller, changes: dict[str, Any]) -> str:
    """Check the new password, and return the hash of the present one.

    :raises Invalid: the new one is easy to guess
    :raises BadToken: the account has ended since its token was checked
    """
    async with deps.db.read() as session:
        account = await queries.select_account(session, caller.user_id)
    if account is None:
        raise BadToken
    check_new_password(changes["password"], login=account.login)
    return account.password_hash


async def _take_email(transaction: Transaction, account_id: int, email_key: str | None) -> None:
    """Keep others from taking an e-mail until the transaction ends.

    :raises NameTaken: another account has it
    """
    if email_key is None:
        return
    await lock_names(transaction, [email_key])
    if await queries.select_taken_names(transaction, [email_key], excluding=account_id):
        raise NameTaken("email")


async def update_names(db: Database, account_id: int, names: dict[str, str]) -> Account:
    """Change first_name, last_name or both.

    :raises NotFound: there is no such account
    """
    async with db.transaction() as session:
        account = await queries.update_account(session, account_id, names)
        if account is None:
            raise NotFound(f"no user {account_id}")
        return account


async def delete_account(
    deps: Deps, caller: Caller, current_password: str | None, *, attempt_id: uuid.UUID, origin: Origin
) -> None:
    """Delete the caller's account with all that belongs to it, but not its visits.

    :raises WrongPassword: that is not the current password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises LastAdmin: there is no other active admin
    """
    await reauthenticate(deps, caller, current_password, attempt_id=attempt_id, origin=origin)
    async with deps.db.transaction() as session:
        await lock_admins(session)
        account = await queries.lock_account(session, caller.user_id)
        if account is None:
            raise BadToken
        await check_not_last_admin(session, account)
        await insert_auth_event(session, "deleted", account.id, origin)
        stale = await end_credentials(session, account.id)
        await queries.delete_account(session, account.id)
    await stale.invalidate(deps.cache)
