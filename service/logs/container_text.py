r"""Takes off what other programs put before the lines of a server, and the colours for terminals.

    web-1  | 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / HTTP/1.1" 200 2326
    └ name, as `docker compose logs` writes it
    Aug  1 00:01:35 shop nginx[7]: 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / …
    └ time, host and program, as a syslog writes them; the time as RFC 5424 has it, too
    2018-07-31T22:01:35.123456789Z stdout F 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / …
    └ time and stream, as Kubernetes keeps them; `docker logs -t` and loggers of services have the time alone
    [2018-08-01 00:01:35 +0200] [7] [INFO] 203.0.113.9 - - [01/Aug/2018:00:01:35 +0200] "GET / …
    └ time, process and level, as hypercorn writes them

The shop's own format has its container's name in its grammar (shop_format.py).
"""

import re
from dataclasses import dataclass

COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
NAME = (
    rb"(?:\d\d:\d\d:\d\d )?[A-Za-z0-9][A-Za-z0-9_.@-]*+ ++\| "  # foreman has the time before it, swarms an @
)
ISO_TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)"
SYSLOG_TIME = rb"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d{1,9})?|" + ISO_TIME + rb")"
PROGRAM = rb'[^ :\[\]{"\n]++(?:\[[^ \[\]{"\n]++\])?: '
LEVEL = rb"[a-z]+[0-7]?\.[a-z]+ "  # of BusyBox, such as daemon.info
SYSLOG = rb"(?:<\d{1,3}>)?" + SYSLOG_TIME + rb' (?:[^ {"\n]++ (?:' + LEVEL + rb")?)?" + PROGRAM
SYSLOG_DATA = rb'(?:-|(?:\[(?:[^\]"\n]|"(?:[^"\\\n]|\\.)*+")*+\])++)'
NEW_SYSLOG = rb"<\d{1,3}>1 " + ISO_TIME + rb" (?:[^ \n]++ ){4}" + SYSLOG_DATA + rb" (?:\xef\xbb\xbf)?"
HYPERCORN = rb"\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d{4}\] \[\d+\] \[[A-Z]+\] "
POD = rb"\[(?:pod|container)/[^ \]\n]++\] "  # of `kubectl logs --prefix`
# multilog's, then svlogd's and s6-log's.
LOGGER_TIME = rb"(?:@[0-9a-f]{24}|\d{4}-\d\d-\d\d[T_ ]\d\d:\d\d:\d\d\.\d{1,9})"
STAMP = rb"(?:" + ISO_TIME + rb"|" + LOGGER_TIME + rb") {1,2}"
# A part of a line that was too long for Kubernetes is marked P, and is not a line.
KUBERNETES = ISO_TIME + rb" std(?:out|err) F "


MARKS = rb"((?:\0|\xef\xbb\xbf)*+)"  # chunks.BEFORE_LINE
# Newlines are searched for in no time, unlike places where a line begins. Hardly a line is looked at further.
BEGINS = rb"(?=[\0\xef<\[@A-Z]|\d{4}-)"


@dataclass(frozen=True, slots=True)
class LinePrefix:
    """What a container may print before a line; no line itself begins so.

    :param first: before the first line of a chunk
    :param later: before each other line, with the newline
    :param later_unnamed: as `later`, in chunks without a container's name
    """

    first: re.Pattern[bytes]
    later: re.Pattern[bytes]
    later_unnamed: re.Pattern[bytes] | None

    def remove(self, data: bytes) -> bytes:
        """Return a chunk's lines without it; NULs and a byte order mark may stand before it."""
        # One byte is searched for in no time, unlike three.
        has_names = b"|" in data and b" | " in data
        later = self.later if has_names else self.later_unnamed
        if later is None:
            return data
        begin = self.first.match(data)
        data = data if begin is None else begin[1] + data[begin.end() :]
        return later.sub(rb"\n\1", data)


def make_prefix(pattern: bytes, unnamed: bytes | None) -> LinePrefix:
    return LinePrefix(
        re.compile(MARKS + rb"(?:" + pattern + rb")"),
        re.compile(rb"\n" + MARKS + rb"(?:" + pattern + rb")"),
        None if unnamed is None else re.compile(rb"\n" + BEGINS + MARKS + rb"(?:" + unnamed + rb")"),
    )


CONTAINER = make_prefix(NAME, None)
UNNAMED = (
    rb"(?:" + POD + rb")?(?:" + KUBERNETES + rb"(?:" + HYPERCORN + rb")?|" + SYSLOG + rb"|" + NEW_SYSLOG
    + rb"|(?:" + STAMP + rb")?" + HYPERCORN + rb"|" + STAMP + rb")|" + POD
)  # fmt: skip
# Before lines that begin with an address, a host or an object, none of which looks like a time.
ANY_PREFIX = make_prefix(rb"(?:" + NAME + rb")?(?:" + UNNAMED + rb")|" + NAME, UNNAMED)


def plain_lines(data: bytes, prefix: LinePrefix | None = CONTAINER) -> bytes:
    """Return lines without their prefixes and colours."""
    data = without_colours(data)
    return data if prefix is None else prefix.remove(data)


def without_colours(data: bytes) -> bytes:
    return COLOUR.sub(b"", data) if b"\x1b" in data else data
