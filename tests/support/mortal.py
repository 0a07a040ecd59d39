"""A program whose work is killed at one of its steps, as `kill -9` or a machine that goes dark would.

    python tests/support/mortal.py DATABASE_URL DATA_DIR

Each line of its input names work and a step: it forks, the child works until that step and kills itself
there, and "killed" or "done" is written. A step is each time that the work waits for something, and each
file that gets its final name, before and after.
"""

import asyncio
import os
import selectors
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from db.database import Database
from service.columns.store import ColumnStore
from service.events.merging import merge_events
from service.visits.queries import count_visits
from tests.support.merging import EVENTS_OFTEN, merge_visits


class Steps:
    """Counts steps, and kills the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def take(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def selector_of(steps: Steps) -> selectors.BaseSelector:
    class Selector(selectors.EpollSelector):
        def select(self, timeout: float | None = None) -> Any:
            steps.take()
            return super().select(timeout)

    return Selector()


def count_renames(steps: Steps) -> None:
    replace = Path.replace

    def counted(self: Path, target: Path) -> Path:
        steps.take()
        result = replace(self, target)
        steps.take()
        return result

    Path.replace = counted  # type: ignore[method-assign, assignment]  # dies between steps


async def read_columns(db: Database, folder: Path) -> None:
    store = ColumnStore.under(folder, megabytes=10)
    await count_visits(db, store, category=None, group_by=("page",), tz="UTC", after=None, limit=10, offset=0)


WORK: dict[str, Callable[[Database, Path], Awaitable[None]]] = {
    "visits": lambda db, _: merge_visits(db),
    "events": lambda db, _: merge_events(db, limits=EVENTS_OFTEN),
    "columns": read_columns,
}


def work_until(url: str, folder: Path, name: str, last: int) -> None:
    steps = Steps(last)
    count_renames(steps)

    async def work() -> None:
        db = Database.connect(url)
        await WORK[name](db, folder)
        await db.close()

    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector_of(steps))) as runner:
        runner.run(work())


def main() -> None:
    url, folder = sys.argv[1], Path(sys.argv[2])
    for line in sys.stdin:
        name, last = line.split()
        pid = os.fork()
        if pid == 0:
            work_until(url, folder, name, int(last))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else "done" if status == 0 else "failed", flush=True)


if __name__ == "__main__":
    main()
