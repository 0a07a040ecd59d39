"""Follows a log: reads it as it grows, through rotation, with one follower at a time for a file."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import structlog

from clients.geo import Geo
from clock import Clock
from db.database import DATABASE_ERRORS, Database
from db.locks import follow_key
from db.models import Import
from service.background import Schedule, run_periodically
from service.errors import Conflict, UnknownFormat
from service.imports.outcome import LogReplaced, end_status
from service.imports.record import ImportOptions, Progress
from service.imports.run import import_log
from service.logs.chunks import LogFile
from service.logs.first_line import NO_FIRST_LINE
from service.logs.source import LogSource, OpenLog, file_key

log = structlog.get_logger("trawl.imports")

SCHEDULE = Schedule(every=2.0, retry=2.0)
ROTATION_POLLS = 2  # without growth, after which a rotated file has ended


class FollowedLog:
    """A log file that stays open between imports of what has been appended to it."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._stream: BinaryIO | None = None
        self._file: LogFile | None = None
        self._last_size_and_mtime: tuple[int, int] | None = None
        self.import_id: int | None = None  # of the import of this file so far
        self.failed_import_id: int | None = None  # the one that an error of the database ended

    @property
    def source(self) -> LogSource:
        return LogSource(self._path.name, file_key(self._path), self._open)

    def has_changed(self) -> bool:
        """Return whether the open file has changed since it was read; if none is open, whether it exists."""
        if self._stream is None:
            return self._path.is_file()
        stat = os.fstat(self._stream.fileno())
        return (stat.st_size, stat.st_mtime_ns) != self._last_size_and_mtime

    def is_rotated(self) -> bool:
        """Return whether the path names another file than the open one."""
        try:
            new = self._path.stat()
        except OSError:
            return False
        if self._stream is None:
            return False
        old = os.fstat(self._stream.fileno())
        return (new.st_dev, new.st_ino) != (old.st_dev, old.st_ino)

    def accept_partial_line(self) -> None:
        """Read a last line without its newline from now on: nothing more will be written to the file."""
        if self._file is not None:
            self._file.accept_partial_line()

    def close(self) -> None:
        """Close the file; the next import opens whatever the path names then."""
        if self._stream is not None:
            self._stream.close()
        self._stream = self._file = self._last_size_and_mtime = self.import_id = None

    @contextmanager
    def _open(self) -> Iterator[OpenLog]:
        if self._stream is None or self._file is None:
            self._stream = self._path.open("rb")
            self._file = LogFile(self._stream)
        stat = os.fstat(self._stream.fileno())
        self._last_size_and_mtime = (stat.st_size, stat.st_mtime_ns)
        yield OpenLog(self._file, stat.st_size, may_grow=True)


@dataclass(frozen=True, slots=True)
class LogFollower:
    """Imports what is appended to a log; all that is read of one file is one import.

    :param poll_seconds: between two looks at the file
    :param schedule: when to try again where another process follows the file, or the database failed
    """

    db: Database
    geo: Geo
    options: ImportOptions
    clock: Clock
    on_progress: Progress = lambda _: None
    poll_seconds: float = 0.5
    schedule: Schedule = SCHEDULE

    async def follow(self, path: Path) -> None:
        """Follow the log at a path, where there need not be one yet, until cancelled."""
        file = FollowedLog(path)

        async def poll_and_close() -> None:
            try:
                await self._poll(file)
            finally:
                file.close()

        lock = follow_key(file.source.key or "", NO_FIRST_LINE)
        await run_periodically(
            self.db, poll_and_close, self.schedule, lock=lock, failure_event="log_follow_failed"
        )

    async def _poll(self, file: FollowedLog) -> None:
        """Import changes of the file, and of the files that replace it, until cancelled."""
        unchanged_polls = 0
        while True:
            if file.has_changed():
                unchanged_polls = 0
                await self._import_changes(file)
            elif file.is_rotated():
                # The writer of the old file may take a moment to turn to the new one.
                unchanged_polls += 1
                if unchanged_polls > ROTATION_POLLS:
                    file.accept_partial_line()
                    await self._import_changes(file)
                    file.close()
                    continue
            await asyncio.sleep(self.poll_seconds)

    async def _import_changes(self, file: FollowedLog) -> None:
        """Import what is new in the file. One that can't be read, or is locked, waits for the next poll.

        One that an error of the database has ended is resumed: a row for each attempt would be thousands.
        """
        failed_id, file.failed_import_id = file.failed_import_id, None
        records: list[Import] = []

        def on_progress(record: Import) -> None:
            records[:] = [record]
            self.on_progress(record)

        try:
            record = await import_log(
                self.db,
                self.geo,
                file.source,
                self.options,
                clock=self.clock,
                on_progress=on_progress,
                import_id=failed_id or file.import_id,
                prior_status="failed" if failed_id else "done",
            )
            file.import_id = record.id
        except Conflict as conflict:
            # Either another process imports the file, and leaves nothing new, or the import was undone.
            if conflict.code == "import_ended":
                file.import_id = None
        except LogReplaced:
            file.close()  # what it holds now is another import
        except UnknownFormat as error:
            file.failed_import_id = records[0].id if records else failed_id
            log.warning("log_follow_failed", cause=error.detail)
        except FileNotFoundError:
            pass  # removed before it could be opened
        except DATABASE_ERRORS as error:
            if end_status(error, self.options.mode) == "failed":
                file.failed_import_id = records[0].id if records else failed_id
            raise
        except OSError as error:
            log.warning("log_follow_failed", cause=error.strerror)
