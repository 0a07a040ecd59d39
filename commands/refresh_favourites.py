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
from service.films.favourites import Refreshing


async def refresh_favourites(settings: Settings, addresses: Addresses, *, out: Console, err: Console) -> bool:
    """Bring the details of all favourites up to date. Whether all could be."""
    cache, background = Cache.connect(addresses.cache), Background()
    films = make_films(settings, cache, background)

    async def refresh(db: Database) -> Refreshing:
        with progress_bar(err) as on_progress:
            return await favourites.refresh_favourites(db, films, clock=now, on_progress=on_progress)

    try:
        state = await with_database(addresses, refresh)
    finally:
        await background.close()
        if films is not None:
            await films.close()
        await cache.close()
    out.print(summary(state), markup=False, highlight=False, soft_wrap=True)
    if state.stopped is not None:
        err.print(
            f"trawl: stopped: {state.stopped}", style="red", markup=False, highlight=False, soft_wrap=True
        )
    return state.is_complete


def summary(state: Refreshing) -> str:
    left = state.total - state.done
    parts = [f"{state.refreshed:,} brought up to date"]
    parts += [f"{state.unknown:,} unknown by now, kept as they were"] if state.unknown else []
    parts += [f"{state.failed:,} failed"] if state.failed else []
    parts += [f"{left:,} not asked for"] if left else []
    return f"{state.total:,} favourite film{'' if state.total == 1 else 's'}: {', '.join(parts)}"


@contextmanager
def progress_bar(err: Console) -> Iterator[Callable[[Refreshing], None]]:
    """On a terminal; nothing elsewhere."""
    columns = (
        TextColumn("favourites"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[failed]:,} failed"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=err, disable=not err.is_terminal, transient=True) as progress:
        task = progress.add_task("favourites", total=None, failed=0)

        def show(state: Refreshing) -> None:
            progress.update(task, total=state.total, completed=state.done, failed=state.failed)

        yield show
