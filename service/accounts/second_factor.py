"""The second factor at a sign-in: a code of the account's app, or a recovery code. Each works once."""

import structlog

from db.database import Transaction
from db.models import Totp
from db.queries import totp as queries
from db.queries.auth_events import Origin, insert_auth_event
from service.errors import Unauthorized
from service.security.sealing import Sealer
from service.security.totp import digest_recovery_code, find_step, is_app_code, normalize_code

log = structlog.get_logger("trawl.accounts")


class TotpNeeded(Unauthorized):
    """The password is right, and a code is needed too."""

    def __init__(self) -> None:
        super().__init__(
            "this account has a second factor: totp or recovery_code is needed too", code="totp_needed"
        )


class WrongCode(Exception):
    """The code is wrong, or was used before."""


async def use_code(
    transaction: Transaction, sealer: Sealer, account_id: int, code: str | None, origin: Origin
) -> None:
    """Use up the code that an account with a second factor needs; others need none.

    The caller has locked the account, so that no factor is added or taken away meanwhile.

    :raises TotpNeeded: there is no code
    :raises WrongCode: it is wrong, or was used before
    """
    totp = await queries.select_totp(transaction, account_id)
    if totp is None or totp.confirmed_at is None:
        return
    if code is None:
        raise TotpNeeded
    letters = normalize_code(code)
    if is_app_code(letters):
        step = find_code_step(sealer, totp, letters, origin)
        if step is None or not await queries.update_last_step(transaction, account_id, step):
            raise WrongCode
        return
    if not await queries.delete_recovery_code(
        transaction, account_id, digest_recovery_code(account_id, letters)
    ):
        raise WrongCode
    await insert_auth_event(transaction, "totp_recovery_used", account_id, origin)


def find_code_step(sealer: Sealer, totp: Totp, code: str, origin: Origin) -> int | None:
    """Return the step of a code that was not used before; None if it is wrong or the secret unreadable."""
    secret = sealer.unseal(totp.sealed_secret, key_id=totp.key_id, context=context_of(totp.account_id))
    if secret is None:
        # Only a recovery code, or the operator, helps this account.
        log.error(
            "totp_unreadable",
            user_id=totp.account_id,
            remedy="start once with the old one in SECRET_PREVIOUS",
        )
        return None
    return find_step(secret, code, origin.at, after=totp.last_step)


def context_of(account_id: int) -> bytes:
    """Return what ties an encrypted secret to its account."""
    return f"totp {account_id}".encode()
