"""The logs that a server may read by name."""

import re
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from service.errors import NotFound
from service.logs.chunks import CHUNK_BYTES
from service.logs.format_options import FormatOptions
from service.logs.pieces import READ_ERRORS
from service.logs.source import LogSource
from service.logs.streams import GUNZIP_LIMITS, GunzipLimits
from service.logs.url_rules import Rules

# What rotators put behind the name of a log: .1, .2.gz, -20260830, -20260830.gz
ROTATED = re.compile(r"(\.[0-9]{1,6}|-[0-9]{8,14})(\.gz)?")


@dataclass(frozen=True, slots=True)
class LogMeasure:
    """The size of a log, and what tells it from others: path, location and the digest of its first line."""

    size: int
    file: str
    first_line: bytes
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogFolder:
    """The logs of a server: one log, other files by name, uploads; and how all are read.

    :param file: the log itself
    :param folder: of files that may be named; None for the rotated siblings of the log alone
    :param private: folders that nothing may be read from, such as the embedded servers' data
    :param zone: of times that name none
    :param rules: classify the URLs of logs in a standard format, and of live visits
    :param address_mask: how many last bytes of addresses are stored as 0, also of live visits
    :param log_format: of logs for which no other is declared; None detects it
    :param chunk_bytes: how much is parsed and stored at a time
    """

    file: Path
    folder: Path | None = None
    private: tuple[Path, ...] = ()
    zone: tzinfo
    rules: Rules | None = None
    address_mask: int = 0
    log_format: str | None = None
    chunk_bytes: int = CHUNK_BYTES
    gunzip_limits: GunzipLimits = field(default=GUNZIP_LIMITS)

    @property
    def formats(self) -> FormatOptions:
        return FormatOptions(self.zone, self.rules, self.log_format)

    def get_source(self, name: str | None) -> LogSource:
        """Return the log, or another file by its name.

        :raises NotFound: `no_such_log`, whatever the cause: a client learns nothing of other files
        """
        if name is None:
            if not self.file.is_file():
                raise NotFound(f"there is no log at LOGS_FILE yet ({self.file.name})", code="no_such_log")
            return LogSource.of_file(self.file, chunk_bytes=self.chunk_bytes)
        try:
            path = self._find(name)
        except (OSError, ValueError, RuntimeError):  # the name is too long, has a NUL, or is a loop of links
            path = None
        if path is None:
            raise NotFound(f"no log {name!r} in the log folder", code="no_such_log")
        return LogSource.of_file(path, chunk_bytes=self.chunk_bytes)

    def measure(self) -> LogMeasure | None:
        """Return the log's size, and what its position is stored by; None if it can't be read."""
        try:
            source = LogSource.of_file(self.file)
            with source.open() as log:
                first_line = log.first_line(self.formats)
                return LogMeasure(log.size or 0, source.key or "", first_line, source.location or "")
        except READ_ERRORS:
            return None

    def _find(self, name: str) -> Path | None:
        """Return the real path of a file that may be read; None for any other."""
        if self.folder is None and not self._is_sibling(name):
            return None
        folder = (self.folder or self.file.parent).resolve()
        path = (folder / name).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return None
        is_hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        is_private = any(path.is_relative_to(private.resolve()) for private in self.private)
        return None if is_hidden or is_private else path

    def _is_sibling(self, name: str) -> bool:
        """Return whether a name is that of the log, or of one that was rotated."""
        suffix = name.removeprefix(self.file.name)
        return name == self.file.name or (suffix != name and ROTATED.fullmatch(suffix) is not None)
