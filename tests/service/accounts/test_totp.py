"""What a new SECRET does to the secrets of second factors."""

import secrets
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from db.database import Database
from db.models import Totp
from db.queries.auth_events import Origin
from service.accounts.second_factor import context_of, find_code_step
from service.accounts.totp import reseal_secrets
from service.deps import Deps
from service.security.sealing import Sealer, sealer_of
from service.security.tokens import TokenSettings
from tests.support.accounts import add_account
from tests.support.http_server import SECRET

NEW = "another secret, that is long enough too"
LOST = "a secret that nobody has written down"
PLAIN = b"12345678901234567890"


def new_nonce() -> bytes:
    return secrets.token_bytes(12)


async def add_secret(deps: Deps, login: str, sealer: Sealer) -> int:
    account_id = await add_account(deps, login)
    sealed = sealer.seal(PLAIN, context=context_of(account_id), nonce=new_nonce())
    async with deps.db.transaction() as session:
        session.add(
            Totp(
                account_id=account_id,
                sealed_secret=sealed,
                key_id=sealer.key_id,
                created_at=datetime.now(UTC),
                last_step=77,
            )
        )
    return account_id


async def read_secret(db: Database, account_id: int, sealer: Sealer) -> bytes | None:
    async with db.read() as session:
        totp = (await session.scalars(select(Totp).where(Totp.account_id == account_id))).one()
    assert totp.last_step == 77
    return sealer.unseal(totp.sealed_secret, key_id=totp.key_id, context=context_of(account_id))


async def test_a_new_secret_takes_over_what_the_previous_one_has_encrypted(deps: Deps) -> None:
    old, new = sealer_of(TokenSettings(SECRET)), sealer_of(TokenSettings(NEW))
    lost = sealer_of(TokenSettings(LOST))
    both = sealer_of(TokenSettings(NEW, previous_secret=SECRET))
    sealers = [old, lost, old, new, old, old, lost, old]
    ids = [await add_secret(deps, f"user-{number}", sealer) for number, sealer in enumerate(sealers)]
    for batch in (2, 500):
        assert await reseal_secrets(deps.db, both, make_nonce=new_nonce, batch=batch) == 2
        for account_id, sealer in zip(ids, sealers, strict=True):
            expected = None if sealer is lost else PLAIN
            assert await read_secret(deps.db, account_id, new) == expected
            assert await read_secret(deps.db, account_id, lost) == (PLAIN if sealer is lost else None)


async def test_a_secret_that_can_not_be_read_has_no_code_and_the_log_says_what_to_do(
    deps: Deps, caplog: pytest.LogCaptureFixture
) -> None:
    account_id = await add_secret(deps, "anna", sealer_of(TokenSettings(LOST)))
    async with deps.db.read() as session:
        totp = (await session.scalars(select(Totp).where(Totp.account_id == account_id))).one()
    origin = Origin(datetime.now(UTC))
    assert find_code_step(sealer_of(deps.tokens), totp, "123456", origin) is None
    assert "totp_unreadable" in caplog.text
    assert "SECRET_PREVIOUS" in caplog.text
