"""`python main.py refresh-favourites`: a progress bar on a terminal, and what came of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bootstrap import Addresses, make_films, with_database
from config import Settings
from db.database import Database
from service.background import Background
from service.cache import Cache
from service.clock import now
from service.films import favourites
from service.films.favourites import RefreshProgress


async def refresh_favourites(settings: Settings, addresses: Addresses, *, out: Console, err: Console) -> bool:
    """Refresh the details of all favourites. Return whether all succeeded."""
    cache, background = Cache.connect(addresses.cache), Background()
    films = make_films(settings, cache, background)

    async def refresh(db: Database) -> RefreshProgress:
        with progress_bar(err) as on_progress:
            return await favourites.refresh_favourites(db, films, clock=now, on_progress=on_progress)

    try:
        progress = await with_database(addresses, refresh)
    finally:
        await background.close()
        if films is not None:
            await films.close()
        await cache.close()
    out.print(summary(progress), markup=False, highlight=False, soft_wrap=True)
    if progress.stopped is not None:
        err.print(
            f"trawl: stopped: {progress.stopped}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    return progress.is_complete


def summary(progress: RefreshProgress) -> str:
    left = progress.total - progress.done
    parts = [f"{progress.refreshed:,} brought up to date"]
    parts += [f"{progress.unknown:,} unknown by now, kept as they were"] if progress.unknown else []
    parts += [f"{progress.failed:,} failed"] if progress.failed else []
    parts += [f"{left:,} not asked for"] if left else []
    return f"{progress.total:,} favourite film{'' if progress.total == 1 else 's'}: {', '.join(parts)}"


@contextmanager
def progress_bar(err: Console) -> Iterator[Callable[[RefreshProgress], None]]:
    """Show a progress bar on a terminal, and nothing elsewhere."""
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
