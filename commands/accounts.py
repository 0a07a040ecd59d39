"""`main.py create-admin` and `main.py set-password`."""

import asyncio
import secrets
import sys
from collections.abc import Callable, Coroutine
from getpass import getpass
from typing import Any

from api.accounts import CreateAdminRequest, SetPasswordRequest
from bootstrap import Addresses, run_with_database
from clock import now
from commands.installation import open_installation
from commands.terminal import err, load_settings, one_line_errors, say
from db.database import Database
from db.models import Account
from db.queries.auth_events import NOBODY, Origin
from service.accounts import accounts, operator
from service.cache import Cache
from service.errors import Invalid, NotFound
from service.security.passwords import Hasher


def create_admin(login: str) -> None:
    """Create an admin, or make the account of this login one, which keeps its password."""
    with one_line_errors(), open_installation(load_settings(), may_be_new=True) as addresses:
        try:
            account = run(addresses, lambda db, cache: operator.promote(db, cache, login, cli_origin()))
        except NotFound:
            values = CreateAdminRequest().load({"login": login, "password": read_password()})
            new = accounts.NewAccount(**values, role="admin")
            salt = secrets.token_bytes(16)
            account = run(
                addresses,
                lambda db, _: accounts.create_account(db, Hasher(), new, salt=salt, origin=cli_origin()),
            )
            say(f"{account.login} is an admin (id {account.id})")
        else:
            say(f"{account.login} is an admin (id {account.id}), and keeps its password")


def set_password(login: str, *, without_totp: bool) -> None:
    """Give an account a new password, and end its sessions and keys; also without its second factor."""
    with one_line_errors(), open_installation(load_settings()) as addresses:
        account = run(addresses, lambda db, _: operator.get_account_by_login(db, login))
        password = SetPasswordRequest().load({"password": read_password()})["password"]
        salt = secrets.token_bytes(16)
        run(
            addresses,
            lambda db, cache: operator.set_password(
                db,
                cache,
                Hasher(),
                account,
                password,
                salt=salt,
                without_totp=without_totp,
                origin=cli_origin(),
            ),
        )
    factor = ", and it has no second factor" if without_totp else ""
    say(f"{account.login} has a new password; its sessions and keys have ended{factor}")


def run(addresses: Addresses, work: Callable[[Database, Cache], Coroutine[Any, Any, Account]]) -> Account:
    """Run work on an account with a database and a cache.

    Passwords are read outside, where Ctrl-C ends the command at once.
    """

    async def work_and_close(db: Database) -> Account:
        cache = Cache.connect(addresses.cache)
        try:
            return await work(db, cache)
        finally:
            await cache.close()

    return asyncio.run(run_with_database(addresses, work_and_close))


def read_password() -> str:
    """Read a password, typed twice on a terminal, else the first line of standard input.

    :raises Invalid: standard input is empty
    """
    if sys.stdin.isatty():
        return type_password()
    line = sys.stdin.readline()
    if not line:
        raise Invalid("no password came: type it, or send it on standard input")
    return line.removesuffix("\n").removesuffix("\r")


def type_password() -> str:
    """Ask for a password twice, again while the two differ.

    The terminal shows nothing that is typed from before the prompt on: typer's prompt hides it only after.
    """
    while True:
        password = getpass("Password: ")
        if getpass("Repeat for confirmation: ") == password:
            return password
        say("trawl: the two passwords differ", console=err, style="red")


def cli_origin() -> Origin:
    """The origin of what is done on the command line: no address, no program and no account."""
    return Origin(now(), actor_id=NOBODY)
