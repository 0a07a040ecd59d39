"""Follows a log: reads on as it grows, through rotation, one follower at a time for a file."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import structlog

from clients.geo import Geo
from db.database import DATABASE_ERRORS, Database
from db.locks import follow_key, try_lock
from service.clock import Clock
from service.errors import Conflict
from service.imports.record import Progress, Reading
from service.imports.run import import_log
from service.logs.chunks import LogFile
from service.logs.source import LogSource, OpenLog, file_key

log = structlog.get_logger("trawl.imports")

LOOK_SECONDS = 0.5
QUEUE_SECONDS = 2.0
QUIET_LOOKS = 2  # for which a rotated file must not grow to be taken for ended


class FollowedLog:
    """A log that stays open between the readings of what has been written to it."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._stream: BinaryIO | None = None
        self._file: LogFile | None = None
        self._seen: tuple[int, int] | None = None
        self.import_id: int | None = None  # of what has been read of this file so far

    @property
    def source(self) -> LogSource:
        return LogSource(self._path.name, file_key(self._path), self._opened)

    def has_news(self) -> bool:
        """Whether there is something to read: in the file that is open, or one where there was none."""
        if self._stream is None:
            return self._path.is_file()
        stat = os.fstat(self._stream.fileno())
        return (stat.st_size, stat.st_mtime_ns) != self._seen

    def is_rotated(self) -> bool:
        """Whether another file stands where the one that is open stood."""
        try:
            new = self._path.stat()
        except OSError:
            return False
        if self._stream is None:
            return False
        old = os.fstat(self._stream.fileno())
        return (new.st_dev, new.st_ino) != (old.st_dev, old.st_ino)

    def take_last(self) -> None:
        """Have the next reading take a last line without its newline: nobody writes to the file any more."""
        if self._file is not None:
            self._file.take_last()

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()
        self._stream = self._file = self._seen = self.import_id = None

    @contextmanager
    def _opened(self) -> Iterator[OpenLog]:
        if self._stream is None or self._file is None:
            self._stream = self._path.open("rb")
            self._file = LogFile(self._stream)
        stat = os.fstat(self._stream.fileno())
        self._seen = (stat.st_size, stat.st_mtime_ns)
        yield OpenLog(self._file, stat.st_size)


@dataclass(frozen=True, slots=True)
class Following:
    """What a log is followed with."""

    db: Database
    geo: Geo
    reading: Reading
    clock: Clock
    on_progress: Progress = field(default=lambda _: None)


async def follow_log(following: Following, path: Path) -> None:
    """Import what is written to a log, until this is cancelled. All that is read of one file is one import.

    The file need not be there yet. While somebody else follows it, this waits to take over.
    """
    followed = FollowedLog(path)
    while True:
        try:
            async with following.db.dedicated() as lock:
                if await try_lock(lock, follow_key(followed.source.key)):
                    await follow(following, followed)
        except DATABASE_ERRORS as error:
            log.warning("log_not_followed", cause=type(error).__name__)
        finally:
            followed.close()
        await asyncio.sleep(QUEUE_SECONDS)


async def follow(following: Following, followed: FollowedLog) -> None:
    quiet = 0
    while True:
        if followed.has_news():
            quiet = 0
            await read_news(following, followed)
        elif followed.is_rotated():
            # Who wrote the old file may not have turned to the new one yet.
            quiet += 1
            if quiet > QUIET_LOOKS:
                followed.take_last()
                await read_news(following, followed)
                followed.close()
                continue
        await asyncio.sleep(LOOK_SECONDS)


async def read_news(following: Following, followed: FollowedLog) -> None:
    try:
        record = await import_log(
            following.db,
            following.geo,
            followed.source,
            following.reading,
            clock=following.clock,
            on_progress=following.on_progress,
            import_id=followed.import_id,
            reopen=True,
        )
        followed.import_id = record.id
    except Conflict as conflict:
        # Somebody imports it, who leaves nothing new; or the import that this went on with was undone.
        if conflict.code == "import_ended":
            followed.import_id = None
    except FileNotFoundError:
        pass  # gone again before it could be opened
    except OSError as error:
        if isinstance(error, DATABASE_ERRORS):
            raise
        log.warning("log_not_followed", cause=error.strerror)
