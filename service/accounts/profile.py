"""What an account changes about itself, up to its deletion."""

import uuid
from typing import Any

from db.database import Database
from db.locks import lock_names
from db.models import Account
from db.queries import accounts as queries
from db.queries.api_keys import select_key_digests
from db.queries.auth_events import Origin, insert_auth_event
from db.queries.sessions import delete_sessions
from service.accounts.accounts import NameTaken
from service.accounts.authentication import Caller
from service.deps import Deps
from service.errors import Forbidden, NotFound
from service.security.credential_cache import invalidate
from service.security.identifiers import fold_to_store
from service.security.passwords import check_new_password
from service.security.rate_limits import network
from service.security.sign_in_throttle import throttle_sign_in

COLUMNS = ("first_name", "last_name", "email")


class WrongPassword(Forbidden):
    """The current password that was given is wrong."""

    def __init__(self) -> None:
        super().__init__("the current password is wrong", code="bad_credentials")


async def update_profile(
    deps: Deps, caller: Caller, changes: dict[str, Any], *, attempt_id: uuid.UUID, salt: bytes, origin: Origin
) -> Account:
    """Change what `changes` names: first_name, last_name, email, or password with current_password.

    A new password ends the account's other sessions.

    :raises WrongPassword: that is not the current password
    :raises Invalid: the new password is too common
    :raises TooMany: too many sign-ins of the account have failed, or too many passwords wait to be hashed
    :raises NameTaken: another account has the e-mail
    :raises NotFound: there is no such account any more
    """
    values = _columns(changes)
    old_hash = new_hash = ""
    if "password" in changes:
        check_new_password(changes["password"])
        old_hash = await _verify_password(
            deps, caller.user_id, changes["current_password"], attempt_id, origin
        )
        client = network(origin.address)
        new_hash = await deps.hasher.hash(changes["password"], salt=salt, client=client)
    session_ids: list[uuid.UUID] = []
    async with deps.db.transaction() as session:
        if email_key := values.get("email_key"):
            await lock_names(session, [email_key])
            if await queries.select_taken_names(session, [email_key], excluding=caller.user_id):
                raise NameTaken("email")
        if new_hash:
            if not await queries.update_password_hash(session, caller.user_id, old=old_hash, new=new_hash):
                raise WrongPassword
            session_ids = await delete_sessions(session, caller.user_id, excluding=caller.credential_id)
            await insert_auth_event(session, "password_changed", caller.user_id, origin)
        account = await queries.update_account(session, caller.user_id, values)
        if account is None:
            raise NotFound(f"no user {caller.user_id}")
    await invalidate(deps.cache, session_ids=session_ids)
    return account


def _columns(changes: dict[str, Any]) -> dict[str, Any]:
    """Return the columns of the account's row to change, but for the password's."""
    values = {name: changes[name] for name in COLUMNS if name in changes}
    if "email" in values:
        values["email_key"] = fold_to_store(values["email"], "/email") if values["email"] else None
    return values


async def _verify_password(
    deps: Deps, account_id: int, password: str, attempt_id: uuid.UUID, origin: Origin
) -> str:
    """Return the hash of the account's password. Guesses are throttled as sign-ins are.

    :raises WrongPassword: `password` is another one
    :raises NotFound: there is no such account any more
    :raises TooMany: too many guesses have failed, or too many passwords wait to be hashed
    """
    async with deps.db.read() as session:
        account = await queries.select_account(session, account_id)
    if account is None:
        raise NotFound(f"no user {account_id}")
    async with throttle_sign_in(deps.cache, account.login_key, origin.address, attempt_id) as attempt:
        client = network(origin.address)
        if not await deps.hasher.verify(password, account.password_hash, client=client):
            attempt.outcome = "failed"
            raise WrongPassword
        attempt.outcome = "succeeded"
    return account.password_hash


async def update_names(db: Database, account_id: int, names: dict[str, str]) -> Account:
    """Change first_name, last_name or both.

    :raises NotFound: there is no such account
    """
    async with db.transaction() as session:
        account = await queries.update_account(session, account_id, names)
        if account is None:
            raise NotFound(f"no user {account_id}")
        return account


async def delete_account(deps: Deps, account_id: int, origin: Origin) -> None:
    """Delete an account with its sessions, keys and all else that belongs to it, but not its visits."""
    async with deps.db.transaction() as session:
        await queries.lock_account(session, account_id)
        await insert_auth_event(session, "deleted", account_id, origin)
        session_ids = await delete_sessions(session, account_id)
        key_digests = await select_key_digests(session, account_id)
        await queries.delete_account(session, account_id)
    await invalidate(deps.cache, session_ids=session_ids, key_digests=key_digests)
