"""An account's second factor: its user makes it, confirms it by a code, and takes it away."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from db.database import Database, Transaction
from db.queries import totp as queries
from db.queries.accounts import select_account
from db.queries.auth_events import Origin, insert_auth_event
from service.accounts.authentication import Caller
from service.accounts.reauthentication import lock_caller, reauthenticate
from service.accounts.second_factor import context_of, find_code_step
from service.deps import Deps
from service.errors import Conflict, Invalid, NotFound
from service.security.sealing import Sealer, sealer_of
from service.security.totp import (
    digest_recovery_code,
    draw_qr_code,
    encode_secret,
    normalize_code,
    write_recovery_codes,
    write_uri,
)

BATCH = 500  # secrets that a transaction encrypts anew


@dataclass(frozen=True, slots=True)
class NewTotp:
    """A secret, which is shown once: as text, as an `otpauth:` URI, and as the rows of a QR code of it."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)
    qr: list[str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TotpState:
    """Whether an account has a second factor, and how many recovery codes are left."""

    enabled: bool
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class TotpSeed:
    """The random parts of a new secret: itself, and the nonce with which it is encrypted."""

    secret: bytes = field(repr=False)
    nonce: bytes


class TotpEnabled(Conflict):
    """The account has a second factor already."""

    def __init__(self) -> None:
        super().__init__("there is a second factor; delete it for a new one", code="totp_enabled")


class BadTotpCode(Invalid):
    """The code that is to confirm a secret is wrong."""

    def __init__(self) -> None:
        fault = "is wrong; use the app's current code, and check the clocks of both devices"
        super().__init__(f"code: {fault}", code="bad_totp_code", errors=[("/code", fault)])


async def get_state(db: Database, user_id: int) -> TotpState:
    async with db.read() as session:
        totp = await queries.select_totp(session, user_id)
        if totp is None or totp.confirmed_at is None:
            return TotpState(enabled=False, recovery_codes_left=0)
        return TotpState(True, await queries.count_recovery_codes(session, user_id))


async def create_totp(
    deps: Deps,
    caller: Caller,
    current_password: str | None,
    *,
    seed: TotpSeed,
    attempt_id: uuid.UUID,
    origin: Origin,
) -> NewTotp:
    """Store a new secret, which counts once it is confirmed. It replaces one that was not confirmed.

    :raises WrongPassword: that is not the caller's password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises TotpEnabled: the account has a second factor
    """
    await reauthenticate(deps, caller, current_password, attempt_id=attempt_id, origin=origin)
    sealer = sealer_of(deps.tokens)
    sealed = sealer.seal(seed.secret, context=context_of(caller.user_id), nonce=seed.nonce)
    async with deps.db.transaction() as session:
        await lock_caller(session, caller)
        account = await select_account(session, caller.user_id)
        assert account is not None
        if not await queries.upsert_pending_totp(
            session, account.id, sealed_secret=sealed, key_id=sealer.key_id, at=origin.at
        ):
            raise TotpEnabled
    uri = write_uri(seed.secret, account.login)
    return NewTotp(encode_secret(seed.secret), uri, draw_qr_code(uri))


async def confirm_totp(
    deps: Deps,
    caller: Caller,
    current_password: str | None,
    *,
    code: str,
    entropy: bytes,
    attempt_id: uuid.UUID,
    origin: Origin,
) -> list[str]:
    """Confirm the secret by a code of it: from now on a sign-in needs one. Return ten recovery codes.

    The code is used up by this. `entropy` is 100 random bytes, of which the recovery codes are made.

    :raises WrongPassword: that is not the caller's password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises NotFound: there is no secret
    :raises TotpEnabled: it is confirmed already
    :raises BadTotpCode: the code is wrong
    """
    await reauthenticate(deps, caller, current_password, attempt_id=attempt_id, origin=origin)
    codes = write_recovery_codes(entropy)
    async with deps.db.transaction() as session:
        await lock_caller(session, caller)
        await _confirm(session, sealer_of(deps.tokens), caller.user_id, normalize_code(code), origin)
        digests = [digest_recovery_code(caller.user_id, each) for each in codes]
        await queries.insert_recovery_codes(session, caller.user_id, digests)
        await insert_auth_event(session, "totp_enabled", caller.user_id, origin)
    return codes


async def _confirm(transaction: Transaction, sealer: Sealer, user_id: int, code: str, origin: Origin) -> None:
    totp = await queries.select_totp(transaction, user_id)
    if totp is None:
        raise NotFound("there is no secret to confirm; POST /profile/totp makes one")
    if totp.confirmed_at is not None:
        raise TotpEnabled
    step = find_code_step(sealer, totp, code, origin)
    if step is None or not await queries.confirm_totp(transaction, user_id, step=step, at=origin.at):
        raise BadTotpCode


async def delete_totp(
    deps: Deps, caller: Caller, current_password: str | None, *, attempt_id: uuid.UUID, origin: Origin
) -> None:
    """Take the second factor away, with its recovery codes: a sign-in needs the password alone.

    :raises WrongPassword: that is not the caller's password
    :raises ReauthenticationNeeded: it is not given, and the sign-in was too long ago
    :raises NotFound: there is none
    """
    await reauthenticate(deps, caller, current_password, attempt_id=attempt_id, origin=origin)
    async with deps.db.transaction() as session:
        await lock_caller(session, caller)
        if not await remove_totp(session, caller.user_id, origin):
            raise NotFound("there is no second factor")


async def remove_totp(transaction: Transaction, account_id: int, origin: Origin) -> bool:
    """Delete the second factor of an account, confirmed or not. Return whether there was one."""
    totp = await queries.delete_totp(transaction, account_id)
    if totp is not None and totp.confirmed_at is not None:
        await insert_auth_event(transaction, "totp_disabled", account_id, origin)
    return totp is not None


async def reseal_secrets(
    db: Database, sealer: Sealer, *, make_nonce: Callable[[], bytes], batch: int = BATCH
) -> int:
    """Encrypt by the present SECRET what an earlier one has encrypted. Return how many can't be read."""
    last_id, unreadable, count = 0, 0, batch
    while count == batch:
        async with db.transaction() as session:
            rows = await queries.select_totp_of_other_keys(session, sealer.key_id, after=last_id, limit=batch)
            for row in rows:
                context = context_of(row.account_id)
                secret = sealer.unseal(row.sealed_secret, key_id=row.key_id, context=context)
                if secret is None:
                    unreadable += 1
                    continue
                sealed = sealer.seal(secret, context=context, nonce=make_nonce())
                await queries.update_sealed_secret(
                    session, row.account_id, sealed_secret=sealed, key_id=sealer.key_id
                )
            count = len(rows)
            last_id = rows[-1].account_id if rows else last_id
    return unreadable
