"""What an account changes about itself, up to its end."""

import uuid
from typing import Any

from db.database import Database
from db.locks import lock_names
from db.models import Account
from db.queries import accounts as queries
from db.queries.auth_events import Origin, insert_auth_event
from db.queries.keys import select_key_digests
from db.queries.sessions import delete_sessions
from service.accounts.accounts import name_taken
from service.accounts.authentication import Caller, key_copy, session_copy
from service.deps import Deps
from service.errors import Forbidden, NotFound
from service.security.credential_cache import forget
from service.security.identifiers import fold_new
from service.security.passwords import check_new_password
from service.security.sign_in_throttle import attempt

COLUMNS = ("first_name", "last_name", "email")


async def update_profile(
    deps: Deps, caller: Caller, changes: dict[str, Any], *, attempt_id: uuid.UUID, salt: bytes, origin: Origin
) -> Account:
    """Change what `changes` names: first_name, last_name, email, or password with current_password.

    A new password ends the account's other sessions.

    :raises Forbidden: that is not the current password
    :raises Conflict: the e-mail is taken
    """
    values: dict[str, Any] = {name: changes[name] for name in COLUMNS if name in changes}
    if "email" in values:
        values["email_key"] = fold_new(values["email"], "/email") if values["email"] else None
    old_hash = new_hash = ""
    if "password" in changes:
        check_new_password(changes["password"])
        old_hash = await _prove_password(
            deps, caller.user_id, changes["current_password"], attempt_id, origin
        )
        new_hash = await deps.hasher.hash(changes["password"], salt=salt)
    ended: list[uuid.UUID] = []
    async with deps.db.transaction() as session:
        if values.get("email_key"):
            await lock_names(session, [values["email_key"]])
            if await queries.select_taken_names(session, [values["email_key"]], but=caller.user_id):
                raise name_taken("email")
        if new_hash:
            if not await queries.update_password_hash(session, caller.user_id, old=old_hash, new=new_hash):
                raise _not_the_current_password()
            ended = await delete_sessions(session, caller.user_id, but=caller.credential_id)
            await insert_auth_event(session, "password_changed", caller.user_id, origin)
        account = await queries.update_account(session, caller.user_id, values)
        if account is None:
            raise NotFound(f"no user {caller.user_id}")
    await forget(deps.cache, [session_copy(session_id) for session_id in ended])
    return account


async def _prove_password(
    deps: Deps, account_id: int, password: str, attempt_id: uuid.UUID, origin: Origin
) -> str:
    """The hash of the account's password, if this is it. Guesses are throttled as sign-ins are."""
    async with deps.db.read() as session:
        account = await queries.select_account(session, account_id)
    if account is None:
        raise NotFound(f"no user {account_id}")
    async with attempt(deps.cache, account.login_key, origin.address, attempt_id) as trying:
        if not await deps.hasher.verify(password, account.password_hash):
            trying.failed()
            raise _not_the_current_password()
        trying.succeeded()
    return account.password_hash


def _not_the_current_password() -> Forbidden:
    return Forbidden("the current password is another one", code="bad_credentials")


async def update_names(db: Database, account_id: int, names: dict[str, str]) -> Account:
    """Change first_name, last_name or both."""
    async with db.transaction() as session:
        account = await queries.update_account(session, account_id, names)
        if account is None:
            raise NotFound(f"no user {account_id}")
        return account


async def delete_account(deps: Deps, account_id: int, origin: Origin) -> None:
    """End an account, and with it its sessions and keys and all else that is its own, but not its visits."""
    async with deps.db.transaction() as session:
        await queries.lock_account(session, account_id)
        await insert_auth_event(session, "deleted", account_id, origin)
        sessions = await delete_sessions(session, account_id)
        digests = await select_key_digests(session, account_id)
        await queries.delete_account(session, account_id)
    await forget(deps.cache, [*map(session_copy, sessions), *map(key_copy, digests)])
