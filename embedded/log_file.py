"""The file that a server's output goes to."""

import shutil
from collections.abc import Callable
from pathlib import Path

LARGEST = 8 * 1024 * 1024
TAIL = 8192


class LogFile:
    """Appended to by a server and kept below two times `LARGEST` bytes, with one older part beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._start = 0

    def begin(self) -> None:
        """A server is about to start: what it complains of stands after this point."""
        self.path.touch(mode=0o600)
        self._start = self.path.stat().st_size

    def last(self, matters: Callable[[str], bool]) -> str:
        """The last line written since `begin` that matters, else the last one, else nothing."""
        with self.path.open("rb") as log:
            size = log.seek(0, 2)
            log.seek(max(self._start, size - TAIL) if size >= self._start else 0)
            lines = [line for line in log.read().decode(errors="replace").splitlines() if line.strip()]
        return next(filter(matters, reversed(lines)), lines[-1] if lines else "it said nothing").strip()

    def tidy(self) -> None:
        """Move what was written aside once it is much; the server goes on writing to the same file.

        A line written between the copy and the cut is lost, which a log of this kind can bear.
        """
        if self.path.stat().st_size > LARGEST:
            shutil.copyfile(self.path, self.path.with_suffix(".log.1"))
            with self.path.open("r+b") as log:
                log.truncate(0)
            self._start = 0
