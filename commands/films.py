"""`main.py refresh-favourites`: a progress bar on a terminal, then a summary."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bootstrap import Addresses, make_films, run_with_database
from clock import now
from commands.installation import open_installation
from commands.terminal import err, load_settings, one_line_errors, say
from config import Settings
from db.database import Database
from service.background import Background
from service.cache import Cache
from service.films import favourites
from service.films.favourites import RefreshProgress


def refresh_favourites() -> None:
    """Refresh the details of all favourites. Exit code 1 if some could not be updated."""
    with one_line_errors():
        settings = load_settings()
        with open_installation(settings) as addresses:
            progress = asyncio.run(run_refresh(settings, addresses))
        print_summary(progress)
    raise typer.Exit(0 if progress.is_complete else 1)


async def run_refresh(settings: Settings, addresses: Addresses) -> RefreshProgress:
    cache, background = Cache.connect(addresses.cache), Background()
    films = make_films(settings, cache, background)

    async def refresh(db: Database) -> RefreshProgress:
        with progress_bar() as on_progress:
            return await favourites.refresh_favourites(db, films, clock=now, on_progress=on_progress)

    try:
        return await run_with_database(addresses, refresh)
    finally:
        await background.close()
        if films is not None:
            await films.close()
        await cache.close()


def print_summary(progress: RefreshProgress) -> None:
    say(summary(progress))
    if progress.stopped is not None:
        say(f"trawl: stopped: {progress.stopped}", console=err, style="red")


def summary(progress: RefreshProgress) -> str:
    remaining = progress.total - progress.done
    parts = [f"{progress.refreshed:,} brought up to date"]
    parts += [f"{progress.unknown:,} unknown by now, kept as they were"] if progress.unknown else []
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{remaining:,} not asked for"] if remaining else []
    return f"{progress.total:,} favourite film{'' if progress.total == 1 else 's'}: {', '.join(parts)}"


@contextmanager
def progress_bar() -> Iterator[Callable[[RefreshProgress], None]]:
    """Show a progress bar on a terminal, nothing elsewhere. Yields the function that updates it."""
    columns = (
        TextColumn("favourites"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]:,} failed"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as bar:
        task = bar.add_task("favourites", total=None, failed=0)

        def show(progress: RefreshProgress) -> None:
            bar.update(task, total=progress.total, completed=progress.done, failed=progress.failed)

        yield show
