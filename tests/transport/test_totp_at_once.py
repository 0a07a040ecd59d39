"""A code that is sent many times at once, to two workers: it is used up once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest

from db.database import Database
from service.deps import Deps
from tests.support.authenticator import begin, enable, forget_last_step
from tests.support.http_client import Client, User
from tests.support.http_server import RunningApp, make_unserved_app, serve

PASSWORD = "correct horse battery"
TIMES = 4  # fewer than the failures that the throttle allows


@pytest.fixture
def db(committed_db: Database) -> Database:
    """Requests run at once, each on a connection of its own."""
    return committed_db


@pytest.fixture
async def workers(client: Client, deps: Deps, committed_url: str) -> AsyncIterator[list[Client]]:
    """Clients of two workers, each with a pool of its own."""
    database = Database.connect(committed_url, pool_size=5)
    async with serve(make_unserved_app()) as second:
        second.use(replace(deps, db=database, replica=database))
        async with aiohttp.ClientSession(second.url) as session:
            yield [client, Client(session)]
    await database.close()


async def sign_in_at_once(workers: list[Client], **code: str) -> list[int]:
    account = {"login": "anna", "password": PASSWORD, **code}
    answers = await asyncio.gather(
        *(workers[number % 2].post("/login", json=account) for number in range(TIMES))
    )
    return sorted(answer.status for answer in answers)


async def test_a_code_is_used_up_once(user: User, workers: list[Client], deps: Deps) -> None:
    app = await enable(user)
    assert await sign_in_at_once(workers, totp=app.code(ahead=1)) == [200, *[401] * (TIMES - 1)]
    assert await sign_in_at_once(workers, recovery_code=app.recovery_codes[0]) == [200, *[401] * (TIMES - 1)]
    await forget_last_step(deps, user)
    codes = [app.code(), app.code(ahead=1)]
    first, second = await asyncio.gather(
        *(
            worker.post("/login", json={"login": "anna", "password": PASSWORD, "totp": code})
            for worker, code in zip(workers, codes, strict=True)
        )
    )
    assert second.status == 200 or first.status == 200
    again = await sign_in_at_once(workers, totp=codes[0])
    assert again == [401] * TIMES


async def test_of_confirmations_at_once_one_succeeds(user: User, workers: list[Client]) -> None:
    app = await begin(user)
    both = [worker.signed_in(user.token) for worker in workers]
    answers = await asyncio.gather(
        *(both[number % 2].post("/profile/totp/confirm", json={"code": app.code()}) for number in range(6))
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5
    [codes] = [answer.json["recovery_codes"] for answer in answers if answer.status == 200]
    assert await sign_in_at_once(workers, recovery_code=codes[0]) == [200, *[401] * (TIMES - 1)]


async def test_a_worker_knows_at_once_what_another_has_turned_on_or_off(
    user: User, workers: list[Client]
) -> None:
    account = {"login": "anna", "password": PASSWORD}
    await enable(user)
    assert (await workers[1].post("/login", json=account)).code == "totp_needed"
    assert (await user.client.delete("/profile/totp")).status == 204
    assert (await workers[1].post("/login", json=account)).status == 200


async def test_a_sign_in_that_meets_the_confirmation_has_a_code_or_was_before_it(
    user: User, workers: list[Client], server: RunningApp
) -> None:
    app = await begin(user)
    account = {"login": "anna", "password": PASSWORD}
    confirmation, *answers = await asyncio.gather(
        user.client.post("/profile/totp/confirm", json={"code": app.code()}),
        *(worker.post("/login", json=account) for worker in workers * 2),
    )
    assert confirmation.status == 200
    assert {answer.status for answer in answers} <= {200, 401}
    assert {answer.code for answer in answers if answer.status == 401} <= {"totp_needed"}
    assert (await workers[1].post("/login", json=account)).code == "totp_needed"
