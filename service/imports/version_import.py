"""Imports a turn of a followed log."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import structlog

from clients.geo import Geo
from clock import Clock
from db.database import DATABASE_ERRORS, Database
from db.models import Import
from db.queries.rejects import select_rejects
from service.errors import Conflict, TrawlError
from service.imports.follow_events import FollowEvents
from service.imports.follow_locks import FollowLocks
from service.imports.outcome import LogReplaced, describe_failure, end_status
from service.imports.record import ImportOptions
from service.imports.run import import_log
from service.logs.file_location import locate
from service.logs.first_line import NO_FIRST_LINE
from service.logs.rotated_files import FirstLines
from service.logs.source import LogSource, OpenLog, file_key
from service.logs.watched_path import LogVersion, WatchedPath

log = structlog.get_logger("trawl.imports")

REJECTS = 1000  # selected at a time
RETRY_SECONDS = 2.0  # after which a log that another process follows is tried again
GRACE_LOOKS = 6  # for the process that follows a log to go on to the next


@dataclass(slots=True)
class VersionImporter:
    """Imports the logs of one path, turn by turn, as long as no other process follows them.

    :param denied_at: when the lock of a log was last refused; None if it was not
    """

    db: Database
    geo: Geo
    options: ImportOptions
    clock: Clock
    events: FollowEvents
    locks: FollowLocks
    watched: WatchedPath
    denied_at: float | None = None
    has_told: set[tuple[str, str]] = field(default_factory=set)
    first_lines: FirstLines = field(init=False)

    def __post_init__(self) -> None:
        self.first_lines = FirstLines(self.options.formats)

    async def import_turn(self, version: LogVersion) -> bool:
        """Import what is new in a log. Return whether it could be."""
        first_line = await self._decide_first_line(version)
        if first_line is None or not await self._acquire(version, first_line):
            return False
        open_version = partial(open_followed, version, first_line)
        source = LogSource(
            version.path.name, version.key, open_version, file_key(self.watched.path), version.location
        )
        return await self.import_source(version, source)

    async def import_source(self, version: LogVersion, source: LogSource) -> bool:
        """Import what is new in a source of a log's lines, as a part of its import.

        One that an error of the database has ended is resumed: a row for each attempt would be thousands.
        """
        failed_id, version.failed_import_id = version.failed_import_id, None
        version.has_unstored = True
        records: list[Import] = []

        def on_progress(record: Import) -> None:
            records[:] = [record]
            self.events.on_progress(self.watched.path, record)

        try:
            record = await import_log(
                self.db,
                self.geo,
                source,
                self.options,
                clock=self.clock,
                on_progress=on_progress,
                import_id=failed_id or version.import_id,
                prior_status="failed" if failed_id else "done",
            )
        except DATABASE_ERRORS as error:
            if end_status(error, self.options.mode) == "failed":
                version.failed_import_id = records[0].id if records else failed_id
            raise
        except Conflict as conflict:
            # Either another process imports the file, and leaves nothing new, or the import was undone.
            if conflict.code == "import_ended":
                version.import_id = None
            return False
        except LogReplaced:
            version.import_id, version.reject = None, 0
            return True
        except (TrawlError, OSError) as error:
            version.has_failed = isinstance(error, TrawlError)  # another error may pass
            self._tell("unreadable", describe_failure(error, source))
            return False
        version.has_unstored = False
        if record.id != version.import_id:
            version.import_id, version.reject = record.id, 0
        await self.tell_rejects(version, record)
        return True

    async def tell_rejects(self, version: LogVersion, record: Import) -> None:
        """Tell each reject of the import that was not told yet."""
        if not self.events.wants_rejects or not record.rejected:
            return
        is_last = False
        while not is_last:
            async with self.db.read() as session:
                rejects = await select_rejects(
                    session, record.id, with_text=True, after=(version.reject,), limit=REJECTS, offset=0
                )
            for reject in rejects:
                version.reject = reject.line
                self.events.on_reject(self.watched.path, reject)
            is_last = len(rejects) < REJECTS

    async def _decide_first_line(self, version: LogVersion) -> bytes | None:
        """Return the digest of the log's first line that fits; None to wait for one."""
        if version.undecided_size == version.file.size and version.replaced is None:
            return None
        first_line = await asyncio.to_thread(version.log.first_line, self.options.formats)
        if first_line is not None:
            return first_line
        if version.replaced is not None and (version.file.is_cut or version.quiet):
            return NO_FIRST_LINE  # there won't be any
        version.undecided_size = version.file.size
        self._tell("undecided", "")
        return None

    async def _acquire(self, version: LogVersion, first_line: bytes) -> bool:
        """Take the lock of a log. The process that followed the last one is the first to get the next."""
        is_new = version.is_ours is None and version.age < GRACE_LOOKS and version.replaced is None
        if is_new and self.denied_at is not None:
            return False
        if version.is_ours is not False:  # also one that was given back, when the connection was lost
            version.is_ours = await self.locks.acquire(version.key, first_line, version.location)
            self.denied_at = None if version.is_ours else time.monotonic()
            if not version.is_ours:
                self._tell("elsewhere", "")
        return bool(version.is_ours)

    def retry_denied(self) -> None:
        """Try the logs again that another process follows, once a while has passed."""
        if self.denied_at is not None and time.monotonic() > self.denied_at + RETRY_SECONDS:
            for version in self.watched.versions:
                version.is_ours = version.is_ours or None

    def _tell(self, change: str, detail: str) -> None:
        """Tell of a change once."""
        if (change, detail) not in self.has_told:
            self.has_told.add((change, detail))
            self.events.on_change(self.watched.path, change, detail)


@contextmanager
def open_followed(version: LogVersion, first_line: bytes) -> Iterator[OpenLog]:
    """Lend the log, which stays open."""
    may_grow = first_line != NO_FIRST_LINE  # else it has ended, without a line that fits
    yield OpenLog(version.log, version.file.size, first_line=lambda _: first_line, may_grow=may_grow)


def rotated_source(path: Path, file: str, followed_as: Path) -> LogSource:
    """Return a log that was rotated to a path, as the one at the path where it was followed."""
    source = LogSource.of_file(path)
    return LogSource(Path(file).name, file, source.open, file_key(followed_as), locate(file))
