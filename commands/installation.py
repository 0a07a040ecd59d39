"""The Trawl that a command works on: the one in DATA_DIR, or a new one where that is what was meant."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bootstrap import Addresses, backing_services
from commands.terminal import err, fail, say
from config import Settings
from config.settings import collect_settings
from embedded import has_database

ROOT = Path(__file__).resolve().parent.parent


@contextmanager
def open_installation(
    settings: Settings, *, may_be_new: bool = False, exclusive: bool = False
) -> Iterator[Addresses]:
    """Run or share the embedded servers of a Trawl that is there; yields the addresses.

    :param may_be_new: the command is one with which a Trawl may begin, such as an import. It sets one up in
        a DATA_DIR that is named or in Trawl's own folder; in any other it is rather the folder that is wrong.
    :param exclusive: refuse to share the servers
    :raises typer.Exit: there is none, which is told
    """
    if is_missing(settings):
        if not (may_be_new and is_place_meant()):
            fail(describe_missing(settings.data_dir))
        say(
            f"trawl: there is no Trawl in {settings.data_dir} yet: setting one up; DATA_DIR names another",
            console=err,
        )
    with backing_services(settings, exclusive=exclusive) as (addresses, _):
        yield addresses


def is_missing(settings: Settings) -> bool:
    """Return whether the database is an embedded one that has not been set up."""
    return settings.database_url is None and not has_database(settings.data_dir)


def is_place_meant() -> bool:
    return Path.cwd() == ROOT or "DATA_DIR" in collect_settings(os.environ, Path(".env"))


def describe_missing(data_dir: Path) -> str:
    """Say in a line that there is no Trawl here, and how to name the one that is meant."""
    return (
        f"there is no Trawl in {data_dir}: run this in the folder where it was set up, or set DATA_DIR "
        "(or DATABASE_URL) to its own; `main.py serve` sets up a new one"
    )
