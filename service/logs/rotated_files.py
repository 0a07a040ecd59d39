"""Finds what a log has become when it was rotated: by its first line, whatever its name is now."""

import os
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from service.logs.format_options import FormatOptions
from service.logs.pieces import READ_ERRORS
from service.logs.source import LogSource

CANDIDATES = 100  # the newest; each is opened
MAX_KNOWN = 400  # files
# What rotators put behind the name of a log, or between its stem and its suffix.
ROTATION = r"(?:[.-][0-9][0-9T:_-]{0,20})"
ISIZE = struct.Struct("<I")  # the end of a gzip file: its content's size modulo 2^32


@dataclass(frozen=True, slots=True)
class RotatedFile:
    """A file beside a log that may hold what stood in it, the digest of its first line, and its age."""

    path: Path
    first_line: bytes
    changed_at: float

    def is_read_to(self, offset: int) -> bool:
        """Return whether it holds nothing behind the offset, as far as its size tells."""
        try:
            with self.path.open("rb") as file:
                size = file.seek(0, 2)
                if self.path.suffix != ".gz":
                    return size <= offset
                file.seek(max(0, size - ISIZE.size))
                end = file.read(ISIZE.size)
        except OSError:
            return True
        return len(end) == ISIZE.size and bool(ISIZE.unpack(end)[0] == offset % 2**32)


class FirstLines:
    """Digests of the first lines of files, read again only where a file has changed."""

    def __init__(self, formats: FormatOptions) -> None:
        self._formats = formats
        self._digests: dict[tuple[object, ...], bytes] = {}

    def read(self, path: Path, stat: os.stat_result) -> bytes:
        """Return the digest of the first line that fits; empty if none does, or the file can't be read."""
        key = (path, stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if key not in self._digests:
            while len(self._digests) >= MAX_KNOWN:
                del self._digests[next(iter(self._digests))]
            try:
                self._digests[key] = LogSource.of_file(path).digest_first_line(self._formats)
            except READ_ERRORS:
                return b""
        return self._digests[key]


def find_rotated(paths: Iterable[Path], first_lines: FirstLines) -> list[RotatedFile]:
    """Return the files at the paths, and those beside them that rotators name so, the newest first."""
    candidates = dict[Path, os.stat_result]()
    for path in paths:
        pattern = rotated_names(path)
        try:
            for sibling in path.parent.iterdir():
                if (sibling.name == path.name or pattern.fullmatch(sibling.name)) and sibling.is_file():
                    candidates[sibling.resolve()] = sibling.stat()
        except OSError:
            continue
    newest = sorted(candidates.items(), key=lambda item: item[1].st_mtime, reverse=True)[:CANDIDATES]
    return [RotatedFile(path, first_lines.read(path, stat), stat.st_mtime) for path, stat in newest]


def rotated_names(path: Path) -> re.Pattern[str]:
    """Return the pattern of the names that a log at the path may get."""
    name, stem, suffix = (re.escape(text) for text in (path.name, path.stem, path.suffix))
    return re.compile(rf"(?:{name}{ROTATION}|{stem}{ROTATION}{suffix})(?:\.gz)?")
