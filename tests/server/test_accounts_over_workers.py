"""Accounts over two workers, with Valkey and without: what ends is dead on both, whatever it meets.

All tests share one server. `wire` is its connection to Valkey.
"""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from db.database import Database
from tests.support.account_model import Account
from tests.support.authenticator import Authenticator
from tests.support.command_line import PASSWORD, Command
from tests.support.databases import on_server, with_database
from tests.support.eventually import eventually
from tests.support.examples import examples
from tests.support.two_workers import TwoWorkers, Visitor, two_workers
from tests.support.wire import Wire, lay_wire

AT_ONCE = 4  # accounts
UP, CUT = range(examples(20)), range(1000, 1000 + examples(5))  # seeds, with Valkey and without
NEW = "a wholly new battery"


@pytest.fixture(scope="module")
async def wire(servers: tuple[str, str]) -> AsyncIterator[Wire]:
    async with lay_wire(servers[1]) as laid:
        yield laid


@pytest.fixture(scope="module")
async def url(servers: tuple[str, str], template: str) -> AsyncIterator[str]:
    name = f"workers_{secrets.token_hex(6)}"
    await on_server(servers[0], f"CREATE DATABASE {name} TEMPLATE {template}")
    yield with_database(servers[0], name)
    await on_server(servers[0], f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
async def site(url: str, wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TwoWorkers]:
    folder = str(tmp_path_factory.mktemp("workers"))
    async with two_workers(
        Command({"DATABASE_URL": url, "REDIS_URL": wire.url, "DATA_DIR": folder})
    ) as serving:
        yield serving


@pytest.fixture(scope="module")
async def rows(url: str) -> AsyncIterator[Database]:
    database = Database.connect(url, pool_size=AT_ONCE)
    yield database
    await database.close()


@contextmanager
def valkey(wire: Wire, state: str) -> Iterator[None]:
    if state == "cut":
        wire.cut()
    try:
        yield
    finally:
        wire.mend()


async def play(site: TwoWorkers, rows: Database, seeds: range, *, rounds: int) -> None:
    """Play an account for each seed, AT_ONCE of them at a time."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def play_account(seed: int) -> None:
        async with turns, site.visitor() as visitor:
            account = Account(site, visitor, rows, random.Random(seed), f"account-{seed}")
            await account.create()
            for _ in range(rounds):
                if account.password:
                    await account.play_round()

    async with asyncio.TaskGroup() as group:
        for seed in seeds:
            group.create_task(play_account(seed), name=f"seed {seed}")


@pytest.mark.slow
@pytest.mark.parametrize(("state", "seeds"), [("up", UP), ("cut", CUT)])
async def test_no_interleaving_leaves_a_token_alive_after_its_end_or_two_of_a_session(
    site: TwoWorkers, wire: Wire, rows: Database, state: str, seeds: range
) -> None:
    """Rounds of refreshes, sign-outs, new passwords, resets, keys and stolen tokens, each all at once."""
    with valkey(wire, state):
        await play(site, rows, seeds, rounds=2)


Ending = Callable[[TwoWorkers, Visitor, dict[str, Any]], Awaitable[int]]


def request_of(method: str, path: str, *, by_admin: bool = False, **body: Any) -> Ending:
    """An ending by one request; path and body may name the account, its session or its key."""

    async def end(site: TwoWorkers, visitor: Visitor, account: dict[str, Any]) -> int:
        token = site.admin_token if by_admin else account["access_token"]
        values = {
            name: each.format(**account) if isinstance(each, str) else each for name, each in body.items()
        }
        return (await visitor.send_patiently(method, path.format(**account), values or None, token))[0]

    return end


async def reset(site: TwoWorkers, visitor: Visitor, account: dict[str, Any]) -> int:
    path = f"/admin/users/{account['id']}/password-reset"
    token = (await visitor.expect(201, "POST", path, token=site.admin_token))["token"]
    return (await visitor.send_patiently("POST", "/password/reset", {"token": token, "password": NEW}))[0]


# What each leaves alive of the session that asks, another session of the account, and a key.
ENDINGS: dict[str, tuple[Ending, tuple[bool, bool, bool]]] = {
    "logout": (request_of("POST", "/logout"), (False, True, True)),
    "logout of all": (request_of("POST", "/auth/logout?all=true"), (False, False, False)),
    "new password": (request_of("PATCH", "/profile", password=NEW), (True, False, False)),
    "new e-mail": (request_of("PATCH", "/profile", email="{login}@shop.example"), (True, True, True)),
    "deletion": (request_of("DELETE", "/profile"), (False, False, False)),
    "deletion by id": (request_of("DELETE", "/user/{id}"), (False, False, False)),
    "reset": (reset, (False, False, False)),
    "own session": (request_of("DELETE", "/sessions/{other_id}"), (True, False, True)),
    "own key": (request_of("DELETE", "/keys/{key_id}"), (True, True, False)),
    "a session, by an admin": (
        request_of("DELETE", "/admin/users/{id}/sessions/{other_id}", by_admin=True),
        (True, False, True),
    ),
    "sessions, by an admin": (
        request_of("DELETE", "/admin/users/{id}/sessions", by_admin=True),
        (False, False, True),
    ),
    "a key, by an admin": (
        request_of("DELETE", "/admin/users/{id}/keys/{key_id}", by_admin=True),
        (True, True, False),
    ),
    "keys, by an admin": (request_of("DELETE", "/admin/users/{id}/keys", by_admin=True), (True, True, False)),
    "deactivation": (request_of("PATCH", "/admin/users/{id}", by_admin=True, active=False), (False,) * 3),
}


@pytest.mark.parametrize("state", ["up", pytest.param("cut", marks=pytest.mark.slow)])
async def test_what_ends_a_session_or_a_key_holds_on_both_workers_once_it_is_answered(
    site: TwoWorkers, wire: Wire, state: str
) -> None:
    """While Valkey is cut each ending waits until no worker has a copy: some wait at once."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def end(number: int, ending: Ending, remains: tuple[bool, bool, bool]) -> None:
        async with turns, site.visitor() as visitor:
            login = f"{state}-{number}"
            user = {"login": login, "password": PASSWORD}
            account = await visitor.expect(201, "POST", "/register", user)
            other = await visitor.sign_in(login)
            own = account | await visitor.sign_in(login)
            new = {"name": "k", "scopes": ["profile:read"]}
            key = await visitor.expect(201, "POST", "/keys", new, own["access_token"])
            items = (await visitor.expect(200, "GET", "/sessions", token=own["access_token"]))["items"]
            own |= {"key_id": key["id"], "other_id": items[1]["id"]}
            tokens = [own["access_token"], other["access_token"], key["key"]]
            for token in tokens:  # copied by both workers from now on
                assert await visitor.statuses(token, 6) == {200}
            assert await ending(site, visitor, own) in (200, 204)
            statuses = [await visitor.statuses(token, 6) for token in tokens]
            assert statuses == [{200 if lives else 401} for lives in remains], login
            for pair, lives in zip((own, other), remains, strict=False):
                refresh = {"refresh_token": pair["refresh_token"]}
                await visitor.expect(200 if lives else 401, "POST", "/token/refresh", refresh)

    with valkey(wire, state):
        async with asyncio.TaskGroup() as group:
            for number, (name, (ending, remains)) in enumerate(ENDINGS.items()):
                group.create_task(end(number, ending, remains), name=name)


@pytest.mark.parametrize("state", ["up", "cut"])
async def test_what_one_worker_has_stored_the_other_knows(site: TwoWorkers, wire: Wire, state: str) -> None:
    with valkey(wire, state):
        async with site.visitor() as visitor:
            login = f"Clara-{state}"
            new = {"login": login, "email": f"{login}@shop.example", "password": PASSWORD}
            account = await visitor.expect(201, "POST", "/auth/register", new)
            names = (login, login.upper(), f"{login}@SHOP.example")
            for name in names:
                taken = await visitor.expect(409, "POST", "/register", {"login": name, "password": PASSWORD})
                assert taken["code"] in ("login_taken", "email_taken")
                pair = await visitor.sign_in(name)
            token = pair["access_token"]
            for first_name in ("A", "B", "C"):
                names_of = {"first_name": first_name}
                await visitor.expect(200, "PATCH", f"/user/{account['id']}", names_of, token)
                shown = await asyncio.gather(
                    *(visitor.expect(200, "GET", "/profile", token=token) for _ in range(4))
                )
                assert {each["first_name"] for each in shown} == {first_name}
            refresh = {"refresh_token": pair["refresh_token"]}
            pairs = await asyncio.gather(
                *(visitor.expect(200, "POST", "/token/refresh", refresh) for _ in range(6))
            )
            assert pairs == [pairs[0]] * 6
            path = f"/admin/users/{account['id']}"
            for role, status in (("admin", 200), ("user", 403)):
                await visitor.expect(200, "PATCH", path, {"role": role}, site.admin_token)
                requests = [
                    visitor.send_patiently("GET", "/admin/users?limit=1", token=token) for _ in range(6)
                ]
                assert {answer[0] for answer in await asyncio.gather(*requests)} == {status}
            audit = f"/admin/auth-events?login={login}&type=role_changed"
            items = (await visitor.expect(200, "GET", audit, token=site.admin_token))["items"]
            assert [item["actor"] for item in items] == ["root", "root"]


async def test_failures_of_one_account_from_one_address_are_counted_over_both_workers(
    site: TwoWorkers,
) -> None:
    names = (f"dora-{number}" for number in count(1))

    async def are_counted() -> bool:
        """A worker that holds Valkey for away counts for itself, until it probes again."""
        async with site.visitor() as visitor, site.visitor() as elsewhere:
            user = {"login": next(names), "password": PASSWORD}
            await visitor.expect(201, "POST", "/register", user)
            wrong = user | {"password": "not the battery"}
            statuses = [(await visitor.send_patiently("POST", "/login", wrong))[0] for _ in range(6)]
            statuses.append((await visitor.send_patiently("POST", "/login", user))[0])
            assert (await elsewhere.send_patiently("POST", "/login", user))[0] == 200
        return statuses == [401] * 5 + [429] * 2

    await eventually(are_counted)


@pytest.mark.parametrize("state", ["up", "cut"])
async def test_a_code_of_a_second_factor_works_once_on_one_of_the_workers(
    site: TwoWorkers, wire: Wire, state: str
) -> None:
    with valkey(wire, state):
        user = {"login": f"Emil-{state}", "password": PASSWORD}
        async with site.visitor() as visitor:
            await visitor.expect(201, "POST", "/register", user)
            token = (await visitor.sign_in(user["login"]))["access_token"]
            secret = (await visitor.expect(201, "POST", "/profile/totp", token=token))["secret"]
            code = {"code": Authenticator(secret).code()}
            recovery = await visitor.expect(200, "POST", "/profile/totp/confirm", code, token)
            answers = await asyncio.gather(
                *(visitor.send_patiently("POST", "/login", user) for _ in range(4))
            )
            assert {(status, body["code"]) for status, body in answers} == {(401, "totp_needed")}
        for once in (Authenticator(secret).code(ahead=1), recovery["recovery_codes"][0]):
            async with site.visitor() as visitor:  # wrong codes are counted by address
                signs = [visitor.send_patiently("POST", "/login", user | {"totp": once}) for _ in range(4)]
                assert sorted(status for status, _ in await asyncio.gather(*signs)) == [200, 401, 401, 401]
        async with site.visitor() as visitor:
            await visitor.expect(204, "DELETE", "/profile/totp", token=token)
            answers = await asyncio.gather(
                *(visitor.send_patiently("POST", "/login", user) for _ in range(4))
            )
            assert {status for status, _ in answers} == {200}
