"""What the operator does to accounts on the command line: give a new password, and make an admin."""

from db.database import Database
from db.models import Account
from db.queries import accounts as queries
from db.queries.api_keys import select_key_digests
from db.queries.auth_events import Origin, insert_auth_event
from db.queries.sessions import select_session_ids
from service.accounts.credentials import StaleCredentials, end_credentials
from service.accounts.totp import remove_totp
from service.cache import Cache
from service.errors import NotFound
from service.security.identifiers import fold
from service.security.passwords import Hasher, check_new_password


async def get_account_by_login(db: Database, login: str) -> Account:
    """Return the account with this login; an e-mail that is not the login names none.

    :raises NotFound: there is no such account
    """
    async with db.read() as session:
        account = await queries.select_account_by_login(session, fold(login))
    if account is None:
        raise NotFound(f"no user has the login {login}")
    return account


async def set_password(
    db: Database,
    cache: Cache,
    hasher: Hasher,
    account: Account,
    password: str,
    *,
    salt: bytes,
    without_totp: bool = False,
    origin: Origin,
) -> Account:
    """Give an account a new password, and end its sessions and keys. When this returns, none is accepted.

    `without_totp` takes its second factor away too, for a user who has lost the app and the recovery codes.

    :raises Invalid: the password is easy to guess
    :raises NotFound: the account has been deleted meanwhile
    """
    check_new_password(password, login=account.login)
    phc = await hasher.hash(password, salt=salt)
    async with db.transaction() as session:
        await queries.lock_account(session, account.id)
        updated = await queries.update_account(session, account.id, {"password_hash": phc})
        if updated is None:
            raise NotFound(f"no user has the login {account.login}")
        stale = await end_credentials(session, account.id)
        if without_totp:
            await remove_totp(session, account.id, origin)
        await insert_auth_event(session, "password_changed", account.id, origin)
    await stale.invalidate(cache)
    return updated


async def promote(db: Database, cache: Cache, login: str, origin: Origin) -> Account:
    """Make an account an active admin, which keeps its password. When this returns, it holds on all workers.

    :raises NotFound: no account has this login
    """
    account = await get_account_by_login(db, login)
    async with db.transaction() as session:
        before = await queries.lock_account(session, account.id)
        if before is None:
            raise NotFound(f"no user has the login {login}")
        if before.role != "admin":
            await insert_auth_event(session, "role_changed", account.id, origin)
        if not before.active:
            await insert_auth_event(session, "activated", account.id, origin)
        admin = await queries.update_account(session, account.id, {"role": "admin", "active": True})
        assert admin is not None
        stale = StaleCredentials(
            await select_session_ids(session, account.id), await select_key_digests(session, account.id)
        )
    await stale.invalidate(cache)
    return admin
