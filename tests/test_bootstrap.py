"""The background work of a worker, as the settings say."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import select, text, update
from structlog.testing import capture_logs

from bootstrap import Addresses, start_background_work
from commands.preparation import ensure_admin, prepare_database
from config import read_settings
from db.database import Database
from db.models import Session, Totp
from service.accounts.second_factor import context_of
from service.deps import Deps
from service.security.sealing import sealer_of
from service.security.tokens import TokenSettings
from service.visits.store import store_live_visits
from tests.support.accounts import add_account, add_session
from tests.support.eventually import eventually
from tests.support.ipinfo_service import TOKEN, play_ipinfo
from tests.support.live_cases import live_row
from tests.support.processes import PATIENCE

NO_FILE = Path("no-such.env")


Visits = list[tuple[str, str | None]]


async def select_visits(db: Database) -> Visits:
    """Return the address and the country of all visits."""
    async with db.read() as session:
        rows = await session.execute(text("SELECT host(address), country FROM visit ORDER BY 1"))
        return [(address, country) for address, country in rows]


async def become(db: Database, expected: Visits) -> bool:
    """Wait until the visits are as expected; returns whether they ever are."""
    end = time.monotonic() + PATIENCE
    while await select_visits(db) != expected:
        if time.monotonic() > end:
            return False
        await asyncio.sleep(0.02)
    return True


async def test_old_visits_are_deleted_and_countries_added_when_that_is_set(
    deps: Deps, committed_db: Database
) -> None:
    old, young = datetime(2018, 8, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(minutes=1)
    visits = [
        live_row(address="8.8.8.8", country="US", occurred_at=old),
        live_row(address="9.9.9.9", country=None, occurred_at=young),
    ]
    await store_live_visits(committed_db, visits)
    async with play_ipinfo() as fake:
        fake.countries = {"9.9.9.9": "CH"}
        settings = read_settings({"RETENTION_DAYS": "30", "IPINFO_TOKEN": TOKEN}, NO_FILE)
        start_background_work(settings, replace(deps, db=committed_db))
        assert await become(committed_db, [("9.9.9.9", "CH")])
        await deps.background.close()


async def test_an_admin_login_of_a_user_is_logged_with_what_to_do(deps: Deps, noise: None) -> None:
    """It may be a stranger's who was faster: it becomes no admin, and the server serves."""
    with capture_logs() as logs:
        await ensure_admin(deps, "noise-1", "correct horse battery")
    [line] = logs
    assert (line["log_level"], line["event"]) == ("error", "admin_login_is_no_admin")
    assert line["remedy"] == "python main.py create-admin noise-1"
    with capture_logs() as logs:
        await ensure_admin(deps, "root", "correct horse battery")
        await ensure_admin(deps, "ROOT", "another good password")
    assert logs == []
    with capture_logs() as logs:  # there is an admin, but this is none
        await ensure_admin(deps, "o'root", "correct horse battery")
    assert [line["remedy"] for line in logs] == ["""python main.py create-admin 'o'"'"'root'"""]


async def test_what_has_expired_is_deleted(deps: Deps, committed_db: Database) -> None:
    committed = replace(deps, db=committed_db)
    account_id = await add_account(committed, "anna")
    kept, _ = await add_session(committed, account_id)
    expired, _ = await add_session(committed, account_id)
    async with committed_db.transaction() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(Session).where(Session.id == expired).values(expires_at=past))
    start_background_work(read_settings({}, NO_FILE), committed)

    async def is_deleted() -> bool:
        async with committed_db.read() as session:
            return list(await session.scalars(select(Session.id))) == [kept]

    await eventually(is_deleted)
    await deps.background.close()


async def test_no_visit_is_deleted_and_no_country_requested_when_nothing_is_set(
    deps: Deps, committed_db: Database
) -> None:
    old = live_row(country=None, occurred_at=datetime(2018, 8, 1, tzinfo=UTC))
    await store_live_visits(committed_db, [old])
    async with play_ipinfo() as fake:
        start_background_work(read_settings({}, NO_FILE), replace(deps, db=committed_db))
        await asyncio.sleep(0.1)  # in which nothing happens
        await deps.background.close()
    assert fake.batches == []
    assert await select_visits(committed_db) == [("8.8.8.8", None)]


async def test_the_start_encrypts_anew_what_the_previous_secret_has_encrypted(
    deps: Deps, committed_db: Database, committed_url: str, servers: tuple[str, str], tmp_path: Path
) -> None:
    addresses = Addresses(committed_url, committed_url, servers[1])
    old, new, other = (f"a secret that is long enough, number {number}" for number in range(3))
    nonce, account_id = bytes(12), await add_account(replace(deps, db=committed_db), "anna")
    sealer = sealer_of(TokenSettings(old))
    sealed = sealer.seal(b"secret", context=context_of(account_id), nonce=nonce)
    async with committed_db.transaction() as session:
        created_at = datetime.now(UTC)
        values = {"sealed_secret": sealed, "key_id": sealer.key_id, "created_at": created_at}
        session.add(Totp(account_id=account_id, **values))

    async def start(**texts: str) -> list[int]:
        """Start with this SECRET; returns how many accounts the log says that nobody can read."""
        settings = read_settings({"DATA_DIR": str(tmp_path), **texts}, NO_FILE)
        with capture_logs() as logs:
            await prepare_database(settings, addresses)
        return [line["accounts"] for line in logs if line["event"] == "totp_unreadable"]

    assert await start(SECRET=other) == [1]
    assert await start(SECRET=new, SECRET_PREVIOUS=old) == []
    assert await start(SECRET=new) == []
    assert await start(SECRET=old) == [1]
    async with committed_db.read() as session:
        totp = (await session.scalars(select(Totp))).one()
    sealer = sealer_of(TokenSettings(new))
    context = context_of(account_id)
    assert sealer.unseal(totp.sealed_secret, key_id=totp.key_id, context=context) == b"secret"
