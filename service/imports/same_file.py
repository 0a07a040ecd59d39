"""Finds running imports of a file that they read by another format than the caller would.

A file is known by its path, its location and the first line that fits its format: by another one, that may be
another line.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace

from db.database import Database
from db.models import Import
from db.queries import imports as queries
from service.logs.format_options import FormatOptions

FirstLineDigest = Callable[[FormatOptions], bytes]


async def find_imports_of_file(
    db: Database, file: str, location: str, digest_first_line: FirstLineDigest, formats: FormatOptions
) -> list[Import]:
    """Return the running imports of the file, whatever format each was told, the newest first.

    :param file: its key
    :param digest_first_line: returns the digest of its first line that fits one of these formats
    """
    async with db.read() as session:
        records = await queries.select_running_imports(session, file, location)
    same = list[Import]()
    for record in records:
        own = replace(formats, declared=record.declared_format)
        if await asyncio.to_thread(digest_first_line, own) == record.first_line_sha256:
            same.append(record)
    return same
