"""`main.py create-admin`."""

import asyncio
import secrets
import sys

import typer

from api.accounts import CreateAdminRequest
from bootstrap import backing_services, run_with_database
from commands.terminal import load_settings, one_line_errors, say
from db.queries.auth_events import Origin
from service.accounts import accounts
from service.clock import now
from service.security.passwords import Hasher


def create_admin(login: str) -> None:
    """Create an admin whose password is typed twice on a terminal, else the first line of standard input."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().removesuffix("\n")
    with one_line_errors():
        settings = load_settings()
        new = accounts.NewAccount(
            **CreateAdminRequest().load({"login": login, "password": password}), role="admin"
        )
        salt = secrets.token_bytes(16)
        with backing_services(settings) as (addresses, _):
            account = asyncio.run(
                run_with_database(
                    addresses,
                    lambda db: accounts.create_account(db, Hasher(), new, salt=salt, origin=cli_origin()),
                )
            )
    say(f"{account.login} is an admin (id {account.id})")


def cli_origin() -> Origin:
    """The origin of what is done on the command line: no address and no program."""
    return Origin(now())
