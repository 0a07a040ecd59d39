"""The command line: serve, import, report, create-admin, refresh-favourites, migrate."""

import gc
import os
import signal

if __name__ == "__main__":
    # The imports below take most of a second; until they are done there is nothing to leave in order.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    # Collecting what they make would find no garbage, and cost a tenth of that.
    gc.disable()

import asyncio
import secrets
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import orjson
import structlog
import typer
from rich.table import Table

from api.accounts import CreateAdminRequest
from api.reports import REQUESTS, ReportResponse
from bootstrap import (
    folder_of_running_server,
    make_worker_app,
    metrics_folder,
    prepare,
    running,
    with_database,
)
from commands import operate
from commands.import_logs import ImportCommand, run_import
from commands.refresh_favourites import refresh_favourites as refresh_films
from commands.terminal import err, fail, out, settings_and_logs, told_in_one_line
from db.database import Database
from db.migrate import migrate as migrate_database
from db.queries.auth_events import Origin
from server.supervisor import HttpServer, serve_until_signal, termination_handled
from service.accounts import accounts
from service.clock import now
from service.imports.record import Reading
from service.logs.url_rules import read_rules
from service.reports import reports
from service.security.passwords import Hasher
from telemetry import multiprocess

log = structlog.get_logger("trawl.server")

cli = typer.Typer(add_completion=False, no_args_is_help=False, pretty_exceptions_enable=False)
for command in (operate.openapi, operate.doctor, operate.backup, operate.restore):
    cli.command()(command)


@cli.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """A web shop's access log and live visits, turned into answers. Without a command: serve."""
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def serve() -> None:
    """Serve on HOST:PORT (127.0.0.1:8000 unless set), with migrations run before."""
    with told_in_one_line(), termination_handled() as termination:
        settings = settings_and_logs(quiet=False)
        log.info("settings", **settings.shown())
        folder = metrics_folder(settings)
        with (
            HttpServer(
                settings.host,
                settings.port,
                settings.workers,
                on_worker_end=partial(multiprocess.forget_worker, folder),
            ) as server,
            running(settings, exclusive=True) as (addresses, watch),
        ):
            multiprocess.empty(folder)
            asyncio.run(prepare(settings, addresses))
            host, port = server.address
            address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
            serve_until_signal(
                server,
                lambda: make_worker_app(settings, addresses, folder),
                termination,
                watch=watch,
                on_ready=lambda: out.print(f"Trawl is serving on {address}", highlight=False),
            )


@cli.command("import")
def import_logs(
    files: Annotated[
        list[str] | None, typer.Argument(help="Logs, plain or .gz; - is standard input.", metavar="FILE...")
    ] = None,
    *,
    follow: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Then read on as this log grows, until Ctrl-C.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count; change nothing.")] = False,
    rules: Annotated[
        Path | None, typer.Option(metavar="FILE", help="What URLs stand for; LOGS_RULES unless given.")
    ] = None,
) -> None:
    """Import access logs, each line once, however often it is read."""
    with told_in_one_line():
        if not files and follow is None:
            fail("name the logs to import, or one to --follow")
        if dry_run and follow is not None:
            fail("--dry-run and --follow do not go together")
        settings = settings_and_logs()
        rules = rules or settings.logs_rules
        reading = Reading(
            ZoneInfo(settings.logs_timezone), dry_run=dry_run, rules=read_rules(rules) if rules else None
        )
        command = ImportCommand(files or [], follow, reading, settings.geoip_path)
        with running(settings) as (addresses, _), multiprocess.lent_to(folder_of_running_server(settings)):
            code = asyncio.run(with_database(addresses, lambda db: run_import(db, command)))
    raise typer.Exit(code)


@cli.command()
def report(
    number: Annotated[int, typer.Argument(min=1, max=7, help="Which report, as GET /reports lists them.")],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(help="Its parameters, such as category=caviar.", metavar="[NAME=VALUE]..."),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the response body.")] = False,
) -> None:
    """Print a report as a table."""
    given = {name: value for name, _, value in (text.partition("=") for text in parameters or [])}
    with told_in_one_line():
        if not all("=" in text for text in parameters or []):
            fail("a parameter is given as NAME=VALUE")
        settings = settings_and_logs()
        asked = REQUESTS[number]().load(given)
        with running(settings) as (addresses, _):
            answer = asyncio.run(with_database(addresses, lambda db: answer_report(db, number, asked)))
    if json:
        sys.stdout.buffer.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
        return
    print_report(answer)


async def answer_report(db: Database, number: int, asked: dict[str, Any]) -> dict[str, Any]:
    result = await reports.run_report(db, reports.get_report(str(number)), asked)
    body: dict[str, Any] = ReportResponse().dump(result)
    return body


def print_report(answer: dict[str, Any]) -> None:
    result = "no data" if answer["answer"] is None else answer["answer"]
    out.print(f"{answer['title']} {result}", markup=False, highlight=False)
    if answer["rows"]:
        names = [name for name in answer["rows"][0] if name != "hours"]
        table = Table(*names)
        for row in answer["rows"]:
            table.add_row(*(str(row[name]) for name in names))
        out.print(table)
    out.print(answer["definition"], style="dim", markup=False, highlight=False)


@cli.command("create-admin")
def create_admin(login: Annotated[str, typer.Argument(help="The login of the new account.")]) -> None:
    """Create an admin. The password is asked for on a terminal, else read from standard input."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().removesuffix("\n")
    with told_in_one_line():
        settings = settings_and_logs()
        new = accounts.NewAccount(
            **CreateAdminRequest().load({"login": login, "password": password}), role="admin"
        )
        salt = secrets.token_bytes(16)
        with running(settings) as (addresses, _):
            made = asyncio.run(
                with_database(
                    addresses,
                    lambda db: accounts.create_account(db, Hasher(), new, salt=salt, origin=from_here()),
                )
            )
    out.print(f"{made.login} is an admin (id {made.id})", markup=False, highlight=False)


@cli.command("refresh-favourites")
def refresh_favourites() -> None:
    """Look all favourite films up again, as often a second as the film service allows."""
    with told_in_one_line():
        settings = settings_and_logs()
        with running(settings) as (addresses, _):
            done = asyncio.run(refresh_films(settings, addresses, out=out, err=err))
    raise typer.Exit(0 if done else 1)


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    with told_in_one_line():
        settings = settings_and_logs()
        with running(settings) as (addresses, _):
            before, after = asyncio.run(migrate_database(addresses.database))
    out.print(
        f"up to date at {after}" if before == after else f"migrated from {before or 'nothing'} to {after}",
        highlight=False,
    )


def from_here() -> Origin:
    return Origin(now())


if __name__ == "__main__":
    gc.freeze()  # and none of it is looked at again, here or in the workers
    gc.enable()
    cli()
