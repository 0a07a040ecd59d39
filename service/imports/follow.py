"""Follows logs as they grow, through rotation: by name, by link, or cut in place.

Two tasks a path: one looks at its files twice a second, and remembers what is new; the other imports it. So
what was whole at a look is stored also where the database takes its time and the file is cut meanwhile.
"""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from logging import ERROR, INFO, WARNING
from pathlib import Path

import structlog

from clients.geo import Geo
from clock import Clock
from db.database import DATABASE_ERRORS, Database
from db.outages import describe, is_lasting, raise_if_cancelled
from service.background import Schedule
from service.imports.catch_up import import_rest_of_cut, import_rotated
from service.imports.follow_events import FollowEvents
from service.imports.follow_locks import FollowLocks
from service.imports.record import ImportOptions
from service.imports.version_import import VersionImporter
from service.logs.watched_path import ROTATION_LIMITS, Change, LogVersion, RotationLimits, WatchedPath

log = structlog.get_logger("trawl.imports")

SCHEDULE = Schedule(every=2.0, retry=2.0)
PERMITS = 2  # imports at a time, of whatever number of logs


@dataclass(frozen=True, slots=True)
class LogFollower:
    """Imports what is appended to logs; all that is read of one file is one import.

    :param look_seconds: between two looks at a file
    :param schedule: when to try again where another process follows the file, or the database failed
    """

    db: Database
    geo: Geo
    options: ImportOptions
    clock: Clock
    events: FollowEvents = field(default_factory=FollowEvents)
    look_seconds: float = 0.5
    schedule: Schedule = SCHEDULE
    limits: RotationLimits = ROTATION_LIMITS

    async def follow(self, *paths: Path) -> None:
        """Follow the logs at these paths, where there need not be any yet, until cancelled.

        Their imports alternate: a turn reads so much of one log, and PERMITS logs are imported at a time.
        """
        locks, permits = FollowLocks(self.db), asyncio.Semaphore(PERMITS)
        try:
            async with asyncio.TaskGroup() as group:
                for path in paths:
                    group.create_task(self._follow_path(path.absolute(), locks, permits))
        finally:
            await asyncio.shield(locks.release_all())

    async def _follow_path(self, path: Path, locks: FollowLocks, permits: asyncio.Semaphore) -> None:
        watched, looked = WatchedPath(path, self.limits), asyncio.Event()
        watched.on_change = partial(self._tell, path)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._look(watched, looked))
                group.create_task(self._read(watched, looked, locks, permits))
        finally:
            watched.close()

    async def _look(self, watched: WatchedPath, looked: asyncio.Event) -> None:
        """Look at the files at regular times, however long a look takes."""
        clock = asyncio.get_running_loop().time
        while True:
            begin = clock()
            await asyncio.to_thread(watched.look)
            looked.set()
            await asyncio.sleep(max(0.0, begin + self.look_seconds - clock()))

    async def _read(
        self, watched: WatchedPath, looked: asyncio.Event, locks: FollowLocks, permits: asyncio.Semaphore
    ) -> None:
        """Import what looks find. An error of the database is waited for."""
        importer = VersionImporter(self.db, self.geo, self.options, self.clock, self.events, locks, watched)
        watched.has_missed = True  # whatever came and went while nobody looked
        while True:
            await looked.wait()
            looked.clear()
            try:
                if watched.has_missed:
                    watched.has_missed = False
                    await import_rotated(importer)
                while await self._import_due(importer, permits):
                    pass
            except DATABASE_ERRORS as error:
                raise_if_cancelled()
                lasting = is_lasting(error)
                log.log(ERROR if lasting else WARNING, "log_follow_failed", cause=describe(error))
                await locks.release_all()
                await asyncio.sleep(self.schedule.retry_lasting if lasting else self.schedule.retry)
                looked.set()

    async def _import_due(self, importer: VersionImporter, permits: asyncio.Semaphore) -> bool:
        """Import a turn of each log that has something new. Return whether one has more."""
        watched, has_more = importer.watched, False
        importer.retry_denied()
        for version in watched.due_versions():
            async with permits:
                if await importer.import_turn(version):
                    has_more = has_more or version.is_due
        for version in watched.ended_versions():
            await self._finish(importer, version)
        return has_more

    async def _finish(self, importer: VersionImporter, version: LogVersion) -> None:
        """Import what is left of a log that gets no more lines, and close it."""
        if version.file.is_cut:
            await import_rest_of_cut(importer, version)
        else:
            version.log.accept_partial_line()
            if version.is_due:
                await importer.import_turn(version)
        importer.watched.close_version(version)

    def _tell(self, path: Path, change: Change, detail: str) -> None:
        self.events.on_change(path, change, detail)
        log.log(
            WARNING if change == "unreadable" else INFO,
            "log_file",
            change=change,
            path=str(path),
            detail=detail,
        )
