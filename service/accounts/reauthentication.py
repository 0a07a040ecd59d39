"""What a stolen session must not do alone: it needs the password, or a sign-in a short while ago."""

import uuid
from datetime import timedelta

from db.database import Transaction
from db.queries.accounts import lock_owner, select_account
from db.queries.auth_events import Origin
from db.queries.sessions import lock_live_session
from service.accounts.authentication import Caller
from service.deps import Deps
from service.errors import Forbidden
from service.security.rate_limits import network
from service.security.sign_in_throttle import account_subject, throttle_sign_in
from service.security.tokens import BadToken

FRESH_FOR = timedelta(minutes=10)  # after a sign-in


class WrongPassword(Forbidden):
    """The current password that was given is wrong."""

    def __init__(self) -> None:
        super().__init__("the current password is wrong", code="bad_credentials")


class ReauthenticationNeeded(Forbidden):
    """The sign-in was too long ago."""

    def __init__(self) -> None:
        minutes = FRESH_FOR // timedelta(minutes=1)
        super().__init__(
            f"this needs current_password, or a sign-in less than {minutes} minutes ago",
            code="reauthentication_needed",
        )


async def reauthenticate(
    deps: Deps, caller: Caller, current_password: str | None, *, attempt_id: uuid.UUID, origin: Origin
) -> None:
    """Check the password if it is given, else that the caller signed in a short while ago.

    Guesses are throttled as sign-ins are.

    :raises WrongPassword: that is not the caller's password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises TooMany: too many guesses have failed
    """
    if current_password is None:
        if origin.at.timestamp() - caller.signed_in_at >= FRESH_FOR.total_seconds():
            raise ReauthenticationNeeded
        return
    async with deps.db.read() as session:
        account = await select_account(session, caller.user_id)
    if account is None:
        raise BadToken
    client, subject = network(origin.address), account_subject(account.id)
    async with throttle_sign_in(deps.cache, subject, origin.address, attempt_id) as attempt:
        if not await deps.hasher.verify(current_password, account.password_hash, client=client):
            attempt.outcome = "failed"
            raise WrongPassword
        attempt.outcome = "succeeded"


async def lock_caller(transaction: Transaction, caller: Caller) -> None:
    """Keep the caller's account and session from ending until the transaction ends.

    A request may be under way when its session ends elsewhere: it must leave no key and no password behind.

    :raises BadToken: one of them has ended since the token was checked
    """
    if not await lock_owner(transaction, caller.user_id):
        raise BadToken
    if await lock_live_session(transaction, caller.credential_id) is None:
        raise BadToken
