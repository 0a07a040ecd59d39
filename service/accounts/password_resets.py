"""A new password for an account whose old one is forgotten: by a token of an admin, or one sent by mail.

A token is 32 random bytes. It works once, for an hour, and only to set the password. The public request for
a mail does the same whatever the login is: all that depends on the account happens in the background.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from clients.smtp_message import Mail
from db.database import Database
from db.queries import accounts, password_resets
from db.queries.auth_events import Origin, insert_auth_event
from service.accounts.credentials import end_credentials
from service.accounts.password_mail import Language, write_mail
from service.deps import Deps
from service.errors import Invalid, NotFound
from service.security.identifiers import fold
from service.security.passwords import check_new_password
from service.security.random_keys import write_key
from service.security.rate_limits import network

TOKEN_PREFIX = "trawl_reset_"  # noqa: S105 - no secret: by it logs find and hide a token
PURPOSE = b"trawl password reset "  # is hashed too, so that the digest of no other token fits


@dataclass(frozen=True, slots=True)
class ResetLimits:
    """How long a token works, how many mailed ones an account has at a time, and when its mail is written.

    The answer to the request is on its way by then: the work for an account would delay it.
    """

    lifetime: timedelta = timedelta(hours=1)
    mailed: int = 3
    delay: float = 0.1  # seconds


LIMITS = ResetLimits()


@dataclass(frozen=True, slots=True)
class NewReset:
    """A token, which is shown once and not stored."""

    token: str = field(repr=False)
    expires_at: datetime


class BadResetToken(Invalid):
    """The token is wrong, used or too old; nobody learns which."""

    def __init__(self) -> None:
        fault = "is wrong, used or too old; ask for a new one"
        super().__init__(f"token: {fault}", code="bad_reset_token", errors=[("/token", fault)])


async def create_reset(
    db: Database, account_id: int, *, secret: bytes, origin: Origin, limits: ResetLimits = LIMITS
) -> NewReset:
    """Create a token from a secret of 32 random bytes, for an admin to hand to the user.

    :raises NotFound: there is no such user
    """
    reset = NewReset(_token_of(secret), origin.at + limits.lifetime)
    async with db.transaction() as session:
        if not await accounts.lock_owner(session, account_id):
            raise NotFound(f"no user {account_id}")
        await password_resets.insert_reset(
            session,
            account_id,
            token_sha256=_digest(reset.token),
            created_at=origin.at,
            expires_at=reset.expires_at,
        )
        await insert_auth_event(session, "password_reset_created", account_id, origin)
    return reset


def request_mail(
    deps: Deps, *, login: str, secret: bytes, language: Language, origin: Origin, limits: ResetLimits = LIMITS
) -> None:
    """Send a token to the e-mail of the account with this login or e-mail, in the background.

    Without a mail server, or where there is no such account, nothing is sent, and the caller does not learn.
    """
    if deps.mail is not None:
        reset = NewReset(_token_of(secret), origin.at + limits.lifetime)
        insert = partial(_create_mailed_reset, deps.db, fold(login), reset, origin, limits)
        deps.mail.submit(partial(_compose, insert, reset, language, origin.at, limits.delay))


async def _compose(
    insert: Callable[[], Awaitable[str | None]],
    reset: NewReset,
    language: Language,
    at: datetime,
    delay: float,
) -> Mail | None:
    await asyncio.sleep(delay)
    recipient = await insert()
    if recipient is None:
        return None
    return write_mail(recipient, reset.token, at=at, expires_at=reset.expires_at, language=language)


async def _create_mailed_reset(
    db: Database, login_key: str, reset: NewReset, origin: Origin, limits: ResetLimits
) -> str | None:
    """Store a token, and return the e-mail to send it to; None if no active account may get another."""
    async with db.transaction() as session:
        account = await accounts.select_account_by_name(session, login_key)
        if account is None or not account.active or not account.email:
            return None
        await accounts.lock_owner(session, account.id)
        if await password_resets.count_mailed_resets(session, account.id, origin.at) >= limits.mailed:
            return None
        await password_resets.insert_reset(
            session,
            account.id,
            token_sha256=_digest(reset.token),
            created_at=origin.at,
            expires_at=reset.expires_at,
            email_key=account.email_key,
        )
        await insert_auth_event(session, "password_reset_mailed", account.id, origin)
        return account.email


async def reset_password(deps: Deps, *, token: str, password: str, salt: bytes, origin: Origin) -> None:
    """Set the password by a token, and end all sessions, keys and other such tokens of the account.

    When this returns, no worker accepts any of them.

    :raises BadResetToken: the token is wrong, used or too old
    :raises Invalid: the password is easy to guess
    :raises TooMany: too many passwords wait to be hashed
    """
    digest = _digest(token)
    async with deps.db.read() as session:
        account = await password_resets.select_reset_account(session, digest, origin.at)
    if account is None:
        raise BadResetToken
    check_new_password(password, login=account.login)
    client = network(origin.address)
    phc = await deps.hasher.hash(password, salt=salt, client=client, is_sign_up=True)
    async with deps.db.transaction() as session:
        await accounts.lock_account(session, account.id)
        # Another request may have used the token meanwhile.
        if await password_resets.select_reset_account(session, digest, origin.at) is None:
            raise BadResetToken
        await accounts.update_account(session, account.id, {"password_hash": phc})
        stale = await end_credentials(session, account.id)
        await insert_auth_event(session, "password_changed", account.id, origin)
    await stale.invalidate(deps.cache)


def _token_of(secret: bytes) -> str:
    return write_key(TOKEN_PREFIX, secret)


def _digest(token: str) -> bytes:
    return hashlib.sha256(PURPOSE + token.encode()).digest()
