"""Tells one file from another at the same path: by its first line that fits a format.

A header, such as that of W3C, is no such line, nor is what a container prints before its first request.
"""

from hashlib import sha256
from typing import BinaryIO

from service.logs.chunks import LogFile
from service.logs.combined_format import LINE
from service.logs.rejects import is_blank
from service.logs.shop_format import COLOUR, FIELDS

NO_FIRST_LINE = b""
TRIED_LINES = 10_000  # that are not blank
BLOCK_BYTES = 128 * 1024  # more than a line may have
TIMES_BEGIN, _ = FIELDS[0]


def digest_first_line(file: BinaryIO, *, accept_partial_line: bool = False) -> bytes:
    """Return a digest of the first line that fits a format; NO_FIRST_LINE if none of TRIED_LINES does."""
    tried = 0
    log = LogFile(file, accept_partial_line=accept_partial_line, chunk_bytes=BLOCK_BYTES)
    for chunk in log.chunks():
        for raw in chunk.data.split(b"\n"):
            if is_blank(raw):
                continue
            if fits_a_format(raw):
                return sha256(raw.strip(b"\0\r")).digest()
            tried += 1
            if tried >= TRIED_LINES:
                return NO_FIRST_LINE
    return NO_FIRST_LINE


def fits_a_format(raw: bytes) -> bool:
    """Return whether a line is written in the shop's format, or in a standard one."""
    line = COLOUR.sub("", raw.strip(b"\0\r").decode(errors="replace"))
    return TIMES_BEGIN.match(line) is not None or LINE.fullmatch(line) is not None
