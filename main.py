"""The command line: registers each command. Its work is a module in `commands/`, imported when it runs."""

import gc
import os
import shlex
import signal
import sys

if __name__ == "__main__":
    # Until a command handles signals itself there is nothing to leave in order.
    signal.signal(signal.SIGTERM, lambda _number, _frame: os._exit(0))
    gc.disable()  # imports make no garbage, and looking for it costs a tenth of their time
    # A closed stream, as by `<&-`, becomes the null device. Else the next file to be opened would become it.
    for _name, _mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, _name) is None:
            _number = os.open(os.devnull, os.O_RDWR)  # the lowest that is free: the stream's own
            os.set_inheritable(_number, True)
            setattr(sys, _name, os.fdopen(_number, _mode))

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

try:
    import typer
    from typer import _completion_shared
    from typer.core import TyperGroup
except ModuleNotFoundError as error:  # of a Python that is not the one of `make run`
    raise SystemExit(f"trawl: {error}; run .venv/bin/python main.py, which `make install` sets up") from None

# Imports of logs make many objects that live on, and few circles: looking less often saves a twentieth of it.
# Requests are circles. Those that outlive a look wait for one at all objects, some half a million later. The
# looks before are at few objects each, as the event loop stands still meanwhile.
GARBAGE_THRESHOLDS = (1_000, 10, 50)
# Completes the words behind `main.py`. Typer's own script is of a command that is one word, and ours are two.
BASH = r"""
%(complete_func)s() {
    local IFS=$'\n' first=0
    [[ ${COMP_WORDS[0]##*/} == python* ]] && first=1
    [[ ${COMP_WORDS[first]##*/} == %(prog_name)s && $COMP_CWORD -gt $first ]] || return
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]:first}" COMP_CWORD=$((COMP_CWORD - first)) \
                   %(autocomplete_var)s=complete_bash "${COMP_WORDS[@]:0:first + 1}" ) )
}

complete -o bashdefault -o default -F %(complete_func)s %(prog_name)s .venv/bin/python """
SERVE_OPTIONS = ("--host", "--port")
# Without a default typer loads pydantic to read an option: a third of the time of a command's --help.
DEFAULTS = dict.fromkeys(("help", "install_completion", "show_completion"), False)


class ServeUnlessNamed(TyperGroup):
    """Takes the options of `serve` without its name: options of the group would cost every command time."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0].partition("=")[0] in SERVE_OPTIONS:
            args = ["serve", *args]
        return super().parse_args(ctx, args)


cli = typer.Typer(
    cls=ServeUnlessNamed,
    no_args_is_help=False,
    rich_markup_mode=None,  # its boxes say <bool> beside each flag and cut long words
    pretty_exceptions_enable=False,
    context_settings={"default_map": DEFAULTS},
)
Login = Annotated[str, typer.Argument(help="The login of the account.", metavar="LOGIN")]
Host = Annotated[str | None, typer.Option(help="Address to listen on; overrides HOST.", metavar="HOST")]
Port = Annotated[str | None, typer.Option(help="Port to listen on; overrides PORT.", metavar="PORT")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
BackupFile = Annotated[Path, typer.Argument(help="The backup file.", metavar="FILE")]


@contextmanager
def importing() -> Iterator[None]:
    """Import a command's module with garbage collection off."""
    gc.disable()
    yield
    gc.freeze()  # what was imported is not looked at again, here or in forked workers
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()


def print_version(is_asked: bool) -> None:
    """Print the version and exit, if `--version` is given."""
    if is_asked:
        from version import VERSION

        typer.echo(f"trawl {VERSION}")
        raise typer.Exit


@cli.callback(invoke_without_command=True)
def main(
    context: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=print_version, is_eager=True)
    ] = False,
) -> None:
    """Turn a web shop's access log, live visits and events into answers.

    Without a command it serves, and takes --host and --port.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 done but more than half of the lines were rejected.
    """
    if context.invoked_subcommand is None:
        serve()


@cli.command()
def serve(*, host: Host = None, port: Port = None) -> None:
    """Migrate the database, then serve. Listens on HOST:PORT (default 127.0.0.1:8000)."""
    with importing():
        from commands.serve import serve
    serve(host=host, port=port)


@cli.command("import")
def import_logs(
    files: Annotated[
        list[str] | None, typer.Argument(help="Logs, plain or .gz; - is standard input.", metavar="FILE")
    ] = None,
    *,
    follow: Annotated[
        bool,
        typer.Option("--follow", help="Keep reading the FILEs as they grow and are rotated, until Ctrl-C."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Count lines and rejects; store nothing.")
    ] = False,
    rules: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="TOML file that says what URLs stand for; overrides LOGS_RULES."),
    ] = None,
    log_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="shop, common, combined, vhost_combined, w3c, json, or a log_format of nginx;"
            " by default that of LOGS_FORMAT, or the one that the first line fits.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Import access logs. A line that is read twice is stored once."""
    with importing():
        from commands.import_logs import import_logs
    import_logs(files or [], follow=follow, dry_run=dry_run, rules=rules, log_format=log_format, as_json=json)


@cli.command("import-events")
def import_events(
    files: Annotated[
        list[str],
        typer.Argument(
            help="NDJSON, or CSV (event_id,user_id,event_type,occurred_at,properties_json), plain or .gz; "
            "- is standard input.",
            metavar="FILE",
        ),
    ],
    *,
    json: Json = False,
) -> None:
    """Import events from files of any size. Each event gets its own verdict, as in POST /events."""
    with importing():
        from commands.import_events import import_events
    import_events(files, as_json=json)


@cli.command()
def report(
    number: Annotated[
        int,
        typer.Argument(metavar="NUMBER", help="Number of the report, 1 to 7; an unknown one lists them all."),
    ],
    parameters: Annotated[
        list[str] | None,
        typer.Argument(help="Parameters of the report, such as category=caviar.", metavar="NAME=VALUE"),
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Print the JSON that GET /report/N answers.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print the rows as CSV.")] = False,
) -> None:
    """Print one of the seven reports as a table."""
    if json and csv:
        raise typer.BadParameter("--json and --csv do not go together")
    with importing():
        from commands.report import print_report
    print_report(number, parameters or [], form="json" if json else "csv" if csv else "table")


@cli.command("create-admin")
def create_admin(login: Login) -> None:
    """Create an admin, or make an existing account an admin.

    An existing account keeps its password. For a new one, type the password, or send it on standard input.
    """
    with importing():
        from commands.accounts import create_admin
    create_admin(login)


@cli.command("set-password")
def set_password(
    login: Login,
    *,
    without_totp: Annotated[
        bool, typer.Option("--without-totp", help="Also turn the second factor off, if it is lost.")
    ] = False,
) -> None:
    """Set a new password for an account. Ends its sessions and API keys.

    Type the password, or send it on standard input.
    """
    with importing():
        from commands.accounts import set_password
    set_password(login, without_totp=without_totp)


@cli.command("refresh-favourites")
def refresh_favourites() -> None:
    """Update the details of favourite films. Sends as many requests as the film service allows."""
    with importing():
        from commands.films import refresh_favourites
    refresh_favourites()


@cli.command()
def doctor(*, json: Json = False) -> None:
    """Find what is wrong here. Checks settings, database, cache, disk and clock, and says what to do."""
    with importing():
        from commands.doctor import diagnose
    diagnose(as_json=json)


@cli.command()
def backup(
    file: BackupFile,
    *,
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Back up the whole database to a file. The server may be running."""
    with importing():
        from commands.database import back_up
    back_up(file, overwrite=force)


@cli.command()
def restore(file: BackupFile) -> None:
    """Replace the whole database with a backup. The server must be stopped."""
    with importing():
        from commands.database import restore
    restore(file)


@cli.command()
def migrate() -> None:
    """Migrate the database to this version. The server does it too, at its start."""
    with importing():
        from commands.database import migrate
    migrate()


@cli.command()
def distribute(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be spread.")] = False,
) -> None:
    """Spread visits and events over a Citus cluster. Running it again does no harm."""
    with importing():
        from commands.distribute import distribute
    distribute(dry_run=dry_run)


@cli.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    with importing():
        from commands.openapi import print_document
    print_document()


def offer_completion() -> None:
    """Have --show-completion and --install-completion write our script, which is bash's alone."""
    interpreter = shlex.quote(sys.executable).replace("%", "%%")
    _completion_shared._completion_scripts = {"bash": BASH + interpreter}  # noqa: SLF001 - typer has no hook


if __name__ == "__main__":
    offer_completion()
    cli()
