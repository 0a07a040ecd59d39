"""Reads to their ends the logs that were rotated while nobody followed them, or between two looks."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

import structlog

from db.models import FilePosition
from db.queries.positions import select_followed_positions, select_position
from service.errors import TrawlError
from service.imports.run import import_log
from service.imports.version_import import VersionImporter, rotated_source
from service.logs.file_location import locate
from service.logs.first_line import NO_FIRST_LINE
from service.logs.rotated_files import RotatedFile, find_rotated
from service.logs.source import file_key
from service.logs.watched_path import LogVersion

log = structlog.get_logger("trawl.imports")

READ_ON = 3  # logs that were followed last, and may not be read to their ends


@dataclass(frozen=True, slots=True)
class Unread:
    """A rotated file with lines that are not read, and the path where it was followed."""

    rotated: RotatedFile
    file: str


async def import_rotated(importer: VersionImporter) -> None:
    """Import the rest of the logs that were followed at the path before, the oldest first.

    Those that came and went since, whole, are read too: they are newer than one that is known.
    """
    path, formats = importer.watched.path, importer.options.formats
    async with importer.db.read() as session:
        rows = await select_followed_positions(session, file_key(path))
    if not rows:
        return
    positions = sorted(rows, key=lambda row: row.location != locate(row.file))  # those of other hosts last
    paths = dict.fromkeys([path, *(Path(position.file) for position in positions)])
    files = await asyncio.to_thread(find_rotated, paths, importer.first_lines)
    open_lines = await asyncio.to_thread(importer.watched.first_lines, formats)
    for unread in await asyncio.to_thread(find_unread, positions, files, open_lines, path):
        await import_rest(importer, unread)


def find_unread(
    positions: list[FilePosition], files: list[RotatedFile], open_lines: set[bytes], path: Path
) -> list[Unread]:
    """Return the rotated files to read on, the oldest first.

    :param positions: of the logs that were followed at the path, the last one first; others' of other hosts
    :param files: that may be those, the newest first
    :param open_lines: the first lines of the logs that are read anyway
    """
    by_line = {file.first_line: file for file in reversed(files) if file.first_line != NO_FIRST_LINE}
    known = dict[bytes, tuple[FilePosition, RotatedFile]]()
    for position in positions:
        if file := by_line.get(position.first_line_sha256):
            known.setdefault(file.first_line, (position, file))
    unread = [
        Unread(file, position.file)
        for position, file in list(known.values())[:READ_ON]
        if file.first_line not in open_lines and not file.is_read_to(position.offset)
    ]
    times = [file.changed_at for _, file in known.values()]
    known_lines = open_lines | {position.first_line_sha256 for position in positions}
    unread += [
        Unread(file, file_key(path))
        for line, file in by_line.items()
        if line not in known_lines and times and file.changed_at > min(times)
    ]
    return sorted(unread, key=lambda item: item.rotated.changed_at)


async def import_rest(importer: VersionImporter, unread: Unread) -> None:
    """Import what is not read of a rotated file. One that can't be read is told in the log."""
    source = rotated_source(unread.rotated.path, unread.file, importer.watched.path)
    try:
        record = await import_log(
            importer.db,
            importer.geo,
            source,
            importer.options,
            clock=importer.clock,
            on_progress=lambda record: importer.events.on_progress(importer.watched.path, record),
        )
    except (TrawlError, FileNotFoundError) as error:
        log.warning("log_rest_unread", path=str(unread.rotated.path), cause=str(error))
    else:
        log.info("log_rest_read", path=str(unread.rotated.path), lines=record.lines)


async def import_rest_of_cut(importer: VersionImporter, version: LogVersion) -> None:
    """Import from the copy of a log that was cut what was written to it between the last look and the cut.

    Where there is no copy, nobody can tell whether that was anything: the log says so.
    """
    first_line = await asyncio.to_thread(version.log.first_line, importer.options.formats)
    if not first_line or not version.is_ours:
        return
    async with importer.db.read() as session:
        position = await select_position(session, version.key, first_line, version.location)
    offset = 0 if position is None else position.offset
    for rotated in await asyncio.to_thread(find_rotated, [version.path], importer.first_lines):
        if rotated.first_line == first_line and rotated.path != version.path:
            if not await asyncio.to_thread(rotated.is_read_to, offset):
                source = rotated_source(rotated.path, version.key, importer.watched.path)
                await importer.import_source(version, source)
            return
    log.warning("log_rest_lost", path=str(version.path), cause="no copy of the log that was cut is beside it")
