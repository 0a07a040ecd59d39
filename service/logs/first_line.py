"""Tells one file from another at the same path: by its first line that fits a format.

A header, such as that of W3C, is no such line, nor is what a container prints before its first request.
"""

from hashlib import sha256
from typing import BinaryIO

from service.logs.chunks import LogFile
from service.logs.format_options import FormatOptions

NO_FIRST_LINE = b""
BLOCK_BYTES = 128 * 1024  # more than a line may have


def digest_first_line(
    file: BinaryIO, formats: FormatOptions, *, accept_partial_line: bool = False
) -> tuple[bytes, bool]:
    """Return a digest of the first line that fits a format, and whether more lines would not change it.

    The digest is NO_FIRST_LINE if none of the first ones fits.
    """
    from service.logs.detect import find_first_line  # with numpy, which takes a while

    log = LogFile(file, accept_partial_line=accept_partial_line, chunk_bytes=BLOCK_BYTES)
    line, is_decided = find_first_line(log, formats)
    return NO_FIRST_LINE if line is None else sha256(line.strip(b"\0\r")).digest(), is_decided
