"""A program that writes a log without pause while it is rotated in one of the ways that rotators know."""

import os
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

TICK_SECONDS = 0.01
KEPT = 50  # rotated logs


class LogWriter(threading.Thread):
    """Writes numbered lines at a rate, each whole in one write.

    :param appends: open the log with O_APPEND; without it, a cut leaves a hole of NULs
    """

    def __init__(self, log: Path, *, rate: int, appends: bool = True) -> None:
        super().__init__(daemon=True)
        self.log = log
        self.written = 0
        self.pause = threading.Lock()  # whoever holds it keeps the writer from writing
        self._rate = rate
        self._flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if appends else 0)
        self._descriptor = os.open(log, self._flags)
        self._is_stopped = threading.Event()

    def run(self) -> None:
        begin = time.monotonic()
        while not self._is_stopped.wait(TICK_SECONDS):
            due = int((time.monotonic() - begin) * self._rate)
            with self.pause:
                while self.written < due:
                    os.write(self._descriptor, log_line(self.written))
                    self.written += 1

    def reopen(self) -> None:
        """Turn to the log that the path names now, as nginx does on USR1."""
        with self.pause:
            os.close(self._descriptor)
            self._descriptor = os.open(self.log, self._flags)

    def stop(self) -> None:
        self._is_stopped.set()
        self.join()
        os.close(self._descriptor)


def log_line(number: int) -> bytes:
    """Return a line of the shop that no other number has."""
    at = datetime.fromtimestamp(1_600_000_000 + number // 100, UTC)
    return f"shop_api      | {at:%Y-%m-%d %H:%M:%S} [{number:08}] INFO: 8.8.8.8 https://shop/fresh_fish/\n".encode()


def copy_and_cut(writer: LogWriter, number: int) -> None:
    """Rotate as logrotate does with copytruncate, but that nothing is written between copy and cut."""
    with writer.pause:
        copy_without_hole(writer.log, rotated(writer, number))
        os.truncate(writer.log, 0)


def copy_without_hole(log: Path, copy: Path) -> None:
    """Copy a log; what it begins with and was never written takes no room in the copy either."""
    with log.open("rb") as source, copy.open("wb") as target:
        size = os.fstat(source.fileno()).st_size
        target.truncate(size)
        if size:
            target.seek(source.seek(0, os.SEEK_DATA))
            shutil.copyfileobj(source, target)


def rename_and_create(writer: LogWriter, number: int) -> None:
    """Rotate by name; the writer turns to the new log at once."""
    writer.log.rename(rotated(writer, number))
    writer.log.touch()
    writer.reopen()


def rename_and_write_on(writer: LogWriter, number: int) -> None:
    """Rotate by name; the writer goes on with the old log for a while, as nginx does until USR1."""
    writer.log.rename(rotated(writer, number))
    if number % 2:
        writer.log.touch()
    time.sleep(0.3)
    writer.reopen()


def turn_link(writer: LogWriter, number: int) -> None:
    """Turn the link that is the log to the next one; the writer follows it a moment later."""
    turned = writer.log.with_name("turned")
    turned.symlink_to(rotated(writer, number).name)
    rotated(writer, number).touch()
    turned.replace(writer.log)
    time.sleep(0.05)
    writer.reopen()


def rotated(writer: LogWriter, number: int) -> Path:
    """Return the name of a rotated log; an old one is removed."""
    with suppress(OSError):
        writer.log.with_name(f"{writer.log.name}.{number - KEPT}").unlink()
    return writer.log.with_name(f"{writer.log.name}.{number}")


Rotation = Callable[[LogWriter, int], None]
# Each kind: how it rotates, and whether the writer has O_APPEND.
ROTATIONS: dict[str, tuple[Rotation, bool]] = {
    "copytruncate": (copy_and_cut, True),
    "copytruncate without O_APPEND": (copy_and_cut, False),
    "rename and create": (rename_and_create, True),
    "rename and late writes": (rename_and_write_on, True),
    "link": (turn_link, True),
}


def start_writer(folder: Path, kind: str, *, rate: int) -> LogWriter:
    """Begin to write `access.log` in the folder."""
    log = folder / "access.log"
    if kind == "link":
        log.symlink_to("access.log.0")
    writer = LogWriter(log, rate=rate, appends=ROTATIONS[kind][1])
    writer.start()
    return writer
