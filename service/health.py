"""Whether all that the service stands on is there."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from db.database import DATABASE_ERRORS
from db.health import read_revision
from db.migrate import newest_revision
from db.queries.imports import select_position
from service.cache import CacheUnavailable
from service.deps import Deps
from service.logs.source import LogSource

PATIENCE = 3.0  # seconds until a part that does not answer is said to be down


@dataclass(frozen=True, slots=True)
class Health:
    """How each part is. The import lag, in bytes of the log not read yet, tells and never fails."""

    database: bool
    cache: bool
    revision: str | None
    lag: int | None

    @property
    def migrated(self) -> bool:
        return self.revision == expected_revision()

    @property
    def good(self) -> bool:
        return self.database and self.cache and self.migrated


async def check_health(deps: Deps) -> Health:
    """Ask every part, all at once."""
    revision, answers = await asyncio.gather(_revision(deps), _cache_answers(deps))
    lag = None if revision is None else await _import_lag(deps)
    return Health(database=revision is not None, cache=answers, revision=revision, lag=lag)


@cache
def expected_revision() -> str | None:
    return newest_revision()


async def _revision(deps: Deps) -> str | None:
    try:
        async with asyncio.timeout(PATIENCE):
            return await read_revision(deps.db)
    except TimeoutError:
        return None


async def _cache_answers(deps: Deps) -> bool:
    try:
        return bool(await deps.cache.run("PING"))
    except CacheUnavailable:
        return False


async def _import_lag(deps: Deps) -> int | None:
    """None if there is no log, or the database goes away just now."""
    size, key = await asyncio.to_thread(_size_and_key, deps.logs.file)
    if size is None or key is None:
        return None
    try:
        async with deps.db.read() as session:
            position = await select_position(session, key)
    except DATABASE_ERRORS:
        return None
    return max(0, size - position.offset) if position else size


def _size_and_key(file: Path) -> tuple[int | None, str | None]:
    try:
        return file.stat().st_size, LogSource.of_file(file).key
    except OSError:
        return None, None
