"""The command line: registers each command. Its work is a module in `commands/`, imported when it runs."""

import gc
import os
import signal

if __name__ == "__main__":
    # Until a command handles signals itself there is nothing to leave in order.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    gc.disable()  # imports make no garbage, and looking for it costs a tenth of their time

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

cli = typer.Typer(
    add_completion=False,
    no_args_is_help=False,
    pretty_exceptions_enable=False,
    # Without a default typer loads pydantic to read it: a third of the time of a command's --help.
    context_settings={"default_map": {"help": False}},
)
Login = Annotated[str, typer.Argument(help="The login of the account.", metavar="LOGIN")]
BackupFile = Annotated[Path, typer.Argument(help="The backup's file.", metavar="FILE")]


@contextmanager
def importing() -> Iterator[None]:
    """Import a command's module without collecting garbage."""
    gc.disable()
    yield
    gc.freeze()  # what was imported is not looked at again, here or in forked workers
    gc.enable()


@cli.callback(invoke_without_command=True)
def main(context: typer.Context) -> None:
    """A web shop's access log and live visits, turned into answers. Without a command: serve."""
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def openapi() -> None:
    """Print the OpenAPI document."""
    with importing():
        from commands.openapi import print_document
    print_document()


@cli.command()
def doctor() -> None:
    """Check configuration, database, cache, migrations, disk and clock, and say what to do."""
    with importing():
        from commands.doctor import diagnose
    diagnose()


@cli.command()
def backup(file: BackupFile) -> None:
    """Write all of the database to a file, also beside a running server."""
    with importing():
        from commands.database import back_up
    back_up(file)


@cli.command()
def restore(file: BackupFile) -> None:
    """Put a backup in the place of all that is in the database. The server must be stopped."""
    with importing():
        from commands.database import restore
    restore(file)


@cli.command()
def serve() -> None:
    """Serve on HOST:PORT (127.0.0.1:8000 unless set), with migrations run before."""
    with importing():
        from commands.serve import serve
    serve()


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
    with importing():
        from commands.import_logs import import_logs
    import_logs(files or [], follow=follow, dry_run=dry_run, rules=rules)


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
    with importing():
        from commands.report import print_report
    print_report(number, parameters or [], as_json=json)


@cli.command("create-admin")
def create_admin(login: Login) -> None:
    """Create an admin, or make a login that exists one, which keeps its password.

    The password is asked for on a terminal, else read from standard input.
    """
    with importing():
        from commands.accounts import create_admin
    create_admin(login)


@cli.command("set-password")
def set_password(login: Login) -> None:
    """Give an account a new password, and end its sessions and keys.

    The password is asked for on a terminal, else read from standard input.
    """
    with importing():
        from commands.accounts import set_password
    set_password(login)


@cli.command("refresh-favourites")
def refresh_favourites() -> None:
    """Look all favourite films up again, as often a second as the film service allows."""
    with importing():
        from commands.films import refresh_favourites
    refresh_favourites()


@cli.command()
def migrate() -> None:
    """Bring the database up to date."""
    with importing():
        from commands.database import migrate
    migrate()


if __name__ == "__main__":
    cli()
