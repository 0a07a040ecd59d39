"""`main.py create-admin` and `main.py set-password`, beside a server's own deps on the same servers."""

import os
import re
import subprocess
import sys
import termios
from collections.abc import AsyncIterator
from dataclasses import replace

import aiohttp
import pytest
from sqlalchemy import select

from db.database import Database
from db.models import Account, AuthEvent
from service.deps import Deps
from tests.support.authenticator import Authenticator
from tests.support.command_line import PASSWORD, PROJECT, Command
from tests.support.http_client import Client
from tests.support.http_server import RunningApp
from tests.support.processes import PATIENCE, eventually

NEW = "a wholly new battery"


@pytest.fixture
async def client(server: RunningApp, deps: Deps, committed_db: Database) -> AsyncIterator[Client]:
    """A client of a server on the command line's database and Valkey."""
    server.use(replace(deps, db=committed_db, replica=committed_db))
    async with aiohttp.ClientSession(server.url) as session:
        yield Client(session)


async def sign_up(client: Client, login: str, **more: str) -> Client:
    account = {"login": login, "password": PASSWORD, **more}
    assert (await client.post("/register", json=account)).status == 201
    return await sign_in(client, login, PASSWORD)


async def sign_in(client: Client, login: str, password: str) -> Client:
    answer = await client.post("/login", json={"login": login, "password": password})
    assert answer.status == 200, answer.body
    return client.signed_in(answer.json["access_token"])


async def audit(db: Database, login: str) -> list[str]:
    async with db.read() as session:
        query = select(AuthEvent.type).where(AuthEvent.login_key == login).order_by(AuthEvent.id)
        return list(await session.scalars(query))


@pytest.mark.slow
async def test_a_new_password_ends_sessions_and_keys_of_the_account_alone(
    client: Client, trawl: Command, committed_db: Database
) -> None:
    anna, boris = await sign_up(client, "Anna"), await sign_up(client, "boris")
    answer = await anna.post("/keys", json={"name": "k", "scopes": ["profile:read"]})
    key = client.signed_in(answer.json["key"])
    for caller in (anna, key):  # cached from now on
        assert (await caller.get("/profile")).status == 200
    code, output, errors = await trawl.run_beside("set-password", "aNNA", text=f"{NEW}\n")
    assert (code, errors) == (0, "")
    assert output == "Anna has a new password; its sessions and keys have ended\n"
    assert [(await caller.get("/profile")).status for caller in (anna, key, boris)] == [401, 401, 200]
    refusal = await client.post("/login", json={"login": "anna", "password": PASSWORD})
    assert refusal.code == "bad_credentials"
    anna = await sign_in(client, "anna", NEW)
    assert (await anna.get("/keys")).json["items"] == []
    assert (await audit(committed_db, "anna")).count("password_changed") == 1
    assert NEW not in output + errors
    async with committed_db.read() as session:
        query = select(AuthEvent.login, AuthEvent.actor).where(AuthEvent.type.like("pass%"))
        assert (await session.execute(query)).all() == [("Anna", None)]


@pytest.mark.parametrize("command", ["set-password", "create-admin"])
async def test_an_empty_input_is_no_password(client: Client, trawl: Command, command: str) -> None:
    login = "Anna" if command == "set-password" else "root"
    await sign_up(client, "Anna")
    code, _, errors = await trawl.run_beside(command, login, text="")
    assert (code, errors) == (1, "trawl: no password came: type it, or send it on standard input")


@pytest.mark.slow
async def test_the_operator_takes_a_lost_second_factor_away_when_asked_to(
    client: Client, trawl: Command, committed_db: Database
) -> None:
    anna = await sign_up(client, "Anna")
    app = Authenticator((await anna.post("/profile/totp")).json["secret"])
    assert (await anna.post("/profile/totp/confirm", json={"code": app.code()})).status == 200
    assert (await trawl.run_beside("set-password", "anna", text=f"{NEW}\n"))[0] == 0
    account = {"login": "anna", "password": NEW}
    assert (await client.post("/login", json=account)).code == "totp_needed"
    code, output, errors = await trawl.run_beside(
        "set-password", "anna", "--without-totp", text=f"{PASSWORD}\n"
    )
    assert (code, errors) == (0, "")
    assert (
        output == "Anna has a new password; its sessions and keys have ended, and it has no second factor\n"
    )
    await sign_in(client, "anna", PASSWORD)
    assert (await trawl.run_beside("set-password", "anna", "--without-totp", text=f"{NEW}\n"))[0] == 0
    assert [kind for kind in await audit(committed_db, "anna") if "totp" in kind] == [
        "totp_enabled",
        "totp_disabled",
    ]
    assert app.secret not in output


async def test_what_can_not_be_set_is_reported_in_one_line_and_changes_nothing(
    client: Client, trawl: Command
) -> None:
    anna = await sign_up(client, "anna", email="anna@shop.example")
    for login, password, word in (
        ("nobody", NEW, "nobody"),
        ("anna@shop.example", NEW, "anna@shop.example"),  # an e-mail that nobody has confirmed
        ("anna", "short", "password"),
        ("anna", "password", "most common"),
        ("anna", "", "password"),
    ):
        code, output, errors = await trawl.run_beside("set-password", login, text=f"{password}\n")
        assert (code, output) == (1, "")
        assert re.fullmatch(rf"trawl: .*{re.escape(word)}.*", errors)
    assert (await anna.get("/profile")).status == 200
    await sign_in(client, "anna", PASSWORD)


async def test_a_login_that_exists_becomes_an_admin_and_keeps_its_password(
    client: Client, trawl: Command, committed_db: Database
) -> None:
    anna = await sign_up(client, "Anna", email="boss@shop.example")
    assert (await anna.get("/admin/users")).code == "admins_only"
    code, output, errors = await trawl.run_beside("create-admin", "aNNA", text=f"{NEW}\n")
    assert (code, errors) == (0, "")
    assert re.fullmatch(r"Anna is an admin \(id \d+\), and keeps its password\n", output)
    assert (await anna.get("/admin/users")).status == 200
    await sign_in(client, "anna", PASSWORD)
    assert (await trawl.run_beside("create-admin", "anna"))[0] == 0
    assert (await audit(committed_db, "anna")).count("role_changed") == 1
    code, _, errors = await trawl.run_beside("create-admin", "boss@shop.example", text=f"{NEW}\n")
    assert (code, "taken" in errors) == (1, True)


async def test_a_deactivated_admin_is_let_in_again(
    client: Client, trawl: Command, committed_db: Database
) -> None:
    await sign_up(client, "anna")
    async with committed_db.transaction() as session:
        account = await session.scalar(select(Account).where(Account.login_key == "anna"))
        assert account is not None
        account.role, account.active = "admin", False
    assert (await trawl.run_beside("create-admin", "anna"))[0] == 0
    await sign_in(client, "anna", PASSWORD)
    assert "activated" in await audit(committed_db, "anna")


@pytest.mark.slow
def test_on_a_terminal_the_password_is_asked_for_twice(trawl: Command) -> None:
    assert trawl.run("create-admin", "root", text=f"{PASSWORD}\n")[0] == 0
    code = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
    arguments = [sys.executable, "-c", code, sys.executable, str(PROJECT / "main.py"), "set-password", "root"]
    process = subprocess.Popen(
        arguments, cwd=PROJECT, env=trawl.environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    output = b""
    for prompt in (b"Password: ", b"confirmation: "):
        while not output.endswith(prompt):
            output += process.stdout.read(1)
        process.stdin.write(f"{NEW}\n".encode())
        process.stdin.flush()
    rest, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, b"has a new password" in rest) == (0, True)
    assert NEW.encode() not in output + rest


@pytest.mark.slow
def test_a_terminal_hides_what_is_typed_before_it_asks(trawl: Command) -> None:
    assert trawl.run("create-admin", "root", text=f"{PASSWORD}\n")[0] == 0
    terminal, inside = os.openpty()
    termios.tcflow(inside, termios.TCOOFF)  # it shows nothing, so the prompt waits
    process = subprocess.Popen(
        [sys.executable, str(PROJECT / "main.py"), "set-password", "root"],
        cwd=PROJECT,
        env=trawl.environment(),
        stdin=inside,
        stdout=inside,
        stderr=inside,
        start_new_session=True,
    )
    try:
        assert eventually(lambda: not termios.tcgetattr(terminal)[3] & termios.ECHO)
    finally:
        process.kill()
        process.wait()
        os.close(terminal)
        os.close(inside)
