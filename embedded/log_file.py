"""The file that a server's output goes to."""

import shutil
from collections.abc import Callable
from pathlib import Path

TAIL = 8192


class LogFile:
    """A log that a server appends to: at most twice `max_size` bytes, with one older part beside it."""

    def __init__(self, path: Path, max_size: int) -> None:
        self.path = path
        self._max_size = max_size
        self._start = 0

    def mark_start(self) -> None:
        """Make the file if there is none. `last_line` looks only at what is written after this point."""
        self.path.touch(mode=0o600)
        self._start = self.path.stat().st_size

    def last_line(self, is_important: Callable[[str], bool]) -> str:
        """Return the last important line since `mark_start`, else the last line, else a remark."""
        with self.path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(self._start, size - TAIL) if size >= self._start else 0)
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        return next(filter(is_important, reversed(lines)), lines[-1] if lines else "it said nothing").strip()

    def rotate(self) -> None:
        """Copy a large log aside and empty it; the server goes on writing to the same file.

        A line written between the copy and the cut is lost, which a log of this kind can bear.
        """
        if self.path.stat().st_size > self._max_size:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            with self.path.open("r+b") as log:
                log.truncate(0)
            self._start = 0
