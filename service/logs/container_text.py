r"""Takes off what other programs put before the lines of a server, and the colours for terminals.

    web-1  | 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / HTTP/1.1" 200 2326
    └ name, as `docker compose logs` writes it
    Aug  1 00:01:35 shop nginx[7]: 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / …
    └ time, host and program, as a syslog writes them; the time as RFC 5424 has it, too
    [2018-08-01 00:01:35 +0200] [7] [INFO] 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / …
    └ time, process and level, as hypercorn writes them

The shop's own format has its container's name in its grammar (shop_format.py).
"""

import re
from dataclasses import dataclass, field

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
NAME = rb"[A-Za-z0-9][A-Za-z0-9_.-]* +\| "
ISO_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
SYSLOG_TIME = rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|" + ISO_TIME + rb")"
PROGRAM = rb"[^ :\[\]\n]+(?:\[\d+\])?: "
SYSLOG = rb"(?:<\d{1,3}>)?" + SYSLOG_TIME + rb" (?:[^ \n]+ )?" + PROGRAM
HYPERCORN = rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] "


@dataclass(frozen=True, slots=True)
class LinePrefix:
    """What may stand before a line: `pattern`, which no line itself begins with."""

    pattern: bytes
    _first: re.Pattern[bytes] = field(init=False)
    _later: re.Pattern[bytes] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_first", re.compile(rb"((?:\0|\xef\xbb\xbf)*+)(?:" + self.pattern + rb")"))
        # Newlines are searched for in no time, unlike places where a line begins.
        later = rb"\n((?:\0|\xef\xbb\xbf)*+)(?:" + self.pattern + rb")"
        object.__setattr__(self, "_later", re.compile(later))

    def remove(self, data: bytes) -> bytes:
        """Return lines without it; NULs and a byte order mark may stand before it (chunks.BEFORE_LINE)."""
        first = self._first.match(data)
        data = data if first is None else first[1] + data[first.end() :]
        return self._later.sub(rb"\n\1", data)


CONTAINER = LinePrefix(NAME)
# Before lines that begin with an address, a host or an object, none of which looks like a time.
ANY_PREFIX = LinePrefix(rb"(?:" + NAME + rb")?(?:" + SYSLOG + rb"|" + HYPERCORN + rb")|" + NAME)


def plain_lines(data: bytes, prefix: LinePrefix | None = CONTAINER) -> bytes:
    """Return lines without their prefixes and colours."""
    data = without_colours(data)
    # One byte is searched for in no time, unlike three.
    if prefix is CONTAINER and not (b"|" in data and b" | " in data):
        return data
    return data if prefix is None else prefix.remove(data)


def without_colours(data: bytes) -> bytes:
    return COLOUR.sub(b"", data) if b"\x1b" in data else data
