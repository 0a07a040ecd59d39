"""Health checks of what the service depends on: the database and its schema, the cache, the log."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from db.database import DATABASE_ERRORS, ReplicaHealth
from db.health import read_revision, read_workers
from db.migrate import newest_revision
from db.queries.positions import select_position
from service.deps import Deps
from telemetry.disk import DiskSpace, read_space

TIMEOUT = 3.0  # seconds after which a part that does not answer counts as down


@dataclass(frozen=True, slots=True)
class Health:
    """The health of each part.

    `lag`, the bytes of the log not imported yet, a replica that is not read from, and a disk that is nearly
    full never make it unhealthy.
    """

    database: bool
    cache: bool
    revision: str | None
    lag: int | None
    disk: DiskSpace | None = None  # of DATA_DIR; None where it can't be read
    replica: ReplicaHealth | None = None  # None where the database itself is read from
    workers: Mapping[str, bool] = field(default_factory=dict)  # whether each answers; none without a cluster

    @property
    def is_migrated(self) -> bool:
        return self.revision == expected_revision()

    @property
    def is_healthy(self) -> bool:
        return self.database and self.cache and self.is_migrated and all(self.workers.values())


async def read_health(deps: Deps) -> Health:
    """Return the health, at most a second old: anybody may ask, and a crowd costs one check a second."""
    health: Health = await deps.health.get(lambda: check_health(deps))
    return health


async def check_health(deps: Deps) -> Health:
    """Check the database, its schema, the cache and the log, side by side."""
    revision, cache_answers = await asyncio.gather(_read_revision(deps), deps.cache.ping())
    lag, workers = (
        (None, dict[str, bool]())
        if revision is None
        else await asyncio.gather(_import_lag(deps), read_workers(deps.db))
    )
    disk = None if deps.data_dir is None else await asyncio.to_thread(read_space, deps.data_dir)
    return Health(
        database=revision is not None,
        cache=cache_answers,
        revision=revision,
        lag=lag,
        disk=disk,
        replica=deps.replica.replica_health(),
        workers=workers,
    )


@cache
def expected_revision() -> str | None:
    """Return the newest revision of the schema that this code knows."""
    return newest_revision()


async def _read_revision(deps: Deps) -> str | None:
    """Return the revision of the schema, empty if there is none; None if the database does not answer."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return await read_revision(deps.db)
    except TimeoutError:
        return None


async def _import_lag(deps: Deps) -> int | None:
    """Return the bytes of the log that are not imported; None without a log, or if the database goes away."""
    log = await asyncio.to_thread(deps.logs.measure)
    if log is None:
        return None
    try:
        async with asyncio.timeout(TIMEOUT), deps.db.read() as session:
            position = await select_position(session, log.file, log.first_line, log.location)
    except DATABASE_ERRORS:
        return None
    return max(0, log.size - position.offset) if position else log.size
