r"""Takes off what Docker puts before the lines of a container, and the colours that it gives to terminals.

    web-1  | 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / HTTP/1.1" 200 2326
    └ name, as `docker compose logs` writes it

The shop's own format has its container's name in its grammar (shop_format.py).
"""

import re

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
PREFIX = rb"[A-Za-z0-9][A-Za-z0-9_.-]* +\| "
LINE_PREFIX = re.compile(PREFIX)
# NULs and a byte order mark may stand before it (chunks.BEFORE_LINE).
PREFIXES = re.compile(rb"^((?:\0|\xef\xbb\xbf)*+)" + PREFIX, re.MULTILINE)


def plain_line(line: bytes, *, has_prefix: bool = True) -> bytes:
    """Return a line, before which nothing else stands, without its prefix and colours."""
    line = without_colours(line)
    prefix = LINE_PREFIX.match(line) if has_prefix else None
    return line if prefix is None else line[prefix.end() :]


def plain_lines(data: bytes, *, has_prefix: bool = True) -> bytes:
    """Return lines without their prefixes and colours."""
    data = without_colours(data)
    # One byte is searched for in no time, unlike three.
    return PREFIXES.sub(rb"\1", data) if has_prefix and b"|" in data and b" | " in data else data


def without_colours(data: bytes) -> bytes:
    return COLOUR.sub(b"", data) if b"\x1b" in data else data
