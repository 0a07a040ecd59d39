"""A path that names one log after the other: as it is rotated, cut in place, or a link that is turned."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise, zip_longest
from pathlib import Path
from typing import Literal

from service.logs.chunks import CHUNK_BYTES
from service.logs.file_location import locate
from service.logs.followed_log import FollowedLog
from service.logs.format_options import FormatOptions
from service.logs.source import file_key
from service.logs.watched_file import WatchedFile

Change = Literal["began", "waits", "rotated", "cut", "unreadable"]


@dataclass(frozen=True, slots=True)
class RotationLimits:
    """How long a log is read on that the path names no more, in looks, of which there are two a second.

    A writer writes on to it until it is told of the rotation: nginx until USR1.

    :param quiet: without growth, after which the next log begins, once something stands in it
    :param longest: after which the next log begins although this one grows; both are read from then on
    :param unread_bytes: of this log, with which the next one does not begin
    :param linger: without growth, after which it is closed
    :param lingering: logs of a path that wait for late lines at most
    :param versions: logs of a path that are open at most, such as while the database is away
    """

    quiet: int = 2
    longest: int = 20
    unread_bytes: int = 8 * 1024 * 1024
    linger: int = 120
    lingering: int = 8
    versions: int = 200


ROTATION_LIMITS = RotationLimits()


@dataclass(slots=True, eq=False)
class LogVersion:
    """A log that the path has named, or one life of a log between two cuts.

    :param path: its real path when it was opened
    :param location: of that path then
    :param age: looks since it was opened
    :param quiet: looks since it has grown
    :param replaced: looks since the path names another; None while it names this one
    :param import_id: of the import of this log so far
    :param failed_import_id: of the import that an error of the database ended
    :param is_ours: this process holds its lock; False if another does, None if nobody has tried
    :param has_unstored: lines were read whose import then failed: it has to be tried again
    :param has_failed: it can't be imported, whatever is appended to it
    :param undecided_size: with which no line of it fitted a format
    :param reject: the line of its last reject that was told
    """

    path: Path
    file: WatchedFile
    log: FollowedLog
    location: str
    age: int = 0
    quiet: int = 0
    replaced: int | None = None
    is_ours: bool | None = None
    import_id: int | None = None
    failed_import_id: int | None = None
    has_failed: bool = False
    has_unstored: bool = False
    undecided_size: int = -1
    reject: int = 0

    @property
    def key(self) -> str:
        return file_key(self.path)

    @property
    def unread_bytes(self) -> int:
        return self.file.size - max(self.log.offset, self.file.hole)

    @property
    def is_due(self) -> bool:
        has_lines = self.has_unstored or self.log.has_lines()
        return self.is_ours is not False and not self.has_failed and has_lines

    def count_look(self, *, has_grown: bool) -> None:
        self.age += 1
        self.quiet = 0 if has_grown else self.quiet + 1
        if self.replaced is not None:
            self.replaced += 1


@dataclass(slots=True)
class WatchedPath:
    """The logs of an absolute path that are still read, the oldest first.

    Links are followed anew with each look. `has_missed` says that others may have come and gone between two
    looks.
    """

    path: Path
    limits: RotationLimits = ROTATION_LIMITS
    chunk_bytes: int = CHUNK_BYTES
    on_change: Callable[[Change, str], object] = lambda *_: None
    versions: list[LogVersion] = field(default_factory=list)
    has_missed: bool = False
    is_closed: bool = False
    _trouble: str | None = None

    def look(self) -> None:
        """Look at the open logs, and at what the path names now."""
        for version in list(self.versions):
            was_empty = version.file.is_empty
            version.count_look(has_grown=version.file.look())
            # A file that was empty tells nothing of a cut since: then only a copy has what stood in it.
            self.has_missed = self.has_missed or (was_empty and not version.file.is_empty)
        newest = self.versions[-1] if self.versions else None
        try:
            path = self.path.resolve(strict=True)
            stat = path.stat()
            is_new = (
                newest is None or newest.file.is_cut or newest.file.identity != (stat.st_dev, stat.st_ino)
            )
            if is_new and len(self.versions) < self.limits.versions:
                self._open(path, newest)
        except FileNotFoundError:
            self._tell_trouble("waits", "")
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links
            self._tell_trouble("unreadable", getattr(error, "strerror", None) or "a loop of links")
        else:
            self._trouble = None

    def _open(self, path: Path, former: LogVersion | None) -> None:
        """Open the log that the path names now, and tell whether it began, was cut or was rotated."""
        file = WatchedFile(path)
        file.look()
        if former is None:
            self._tell("began", path)
        elif former.file.is_cut and former.file.identity == file.identity:
            self._tell("cut", path)
        else:
            self._tell("rotated", path)
        log = FollowedLog(file, chunk_bytes=self.chunk_bytes)
        self.versions.append(LogVersion(path, file, log, locate(file_key(path))))
        if former is not None:
            former.replaced = 0
            self.has_missed = True  # only now: this log is not one of those that were missed
        if self.is_closed:
            self.close()

    def _tell(self, change: Change, path: Path) -> None:
        self.on_change(change, "" if path == self.path else str(path))

    def _tell_trouble(self, change: Change, detail: str) -> None:
        """Tell of a path that can't be read, once until it can be again."""
        if self._trouble != change + detail:
            self._trouble = change + detail
            self.on_change(change, detail)

    def first_lines(self, formats: FormatOptions) -> set[bytes]:
        """Return the digests of the first lines of the logs that are open."""
        lines = {version.log.first_line(formats) for version in list(self.versions)}
        return {line for line in lines if line}

    def due_versions(self) -> list[LogVersion]:
        """Return the logs to read now: a newer one only once the older ones are read to their ends."""
        due = list[LogVersion]()
        versions = list(self.versions)
        for version, following in zip_longest(versions, versions[1:]):
            if version.is_due:
                due.append(version)
            if following is None or not self._has_ended(version, following):
                break
        return due

    def _has_ended(self, version: LogVersion, following: LogVersion) -> bool:
        """Return whether the log is read to its end, as far as can be told, so that the next may begin."""
        if version.replaced is None:
            return False
        if version.replaced >= self.limits.longest and version.unread_bytes < self.limits.unread_bytes:
            return True
        if version.is_due:
            return False
        if version.file.is_cut or version.is_ours is False:
            return True
        return version.quiet >= self.limits.quiet and following.file.size > 0

    def ended_versions(self) -> list[LogVersion]:
        """Return the logs to close, which are read to their ends: those cut, and those long quiet."""
        ended = [
            version
            for version, following in pairwise(list(self.versions))
            if not version.is_due and self._has_ended(version, following)
        ]
        too_many = ended[: max(0, len(ended) - self.limits.lingering)]
        return [
            version
            for version in ended
            if version.file.is_cut or version.quiet >= self.limits.linger or version in too_many
        ]

    def close_version(self, version: LogVersion) -> None:
        """Close a log that is read to its end."""
        self.versions.remove(version)
        version.file.close()

    def close(self) -> None:
        """Close all logs, also one that a look in another thread is about to open."""
        self.is_closed = True
        for version in list(self.versions):
            version.file.close()
