"""Detects the format of a log: that of the first line that fits one, wherever it stands.

A built-in format is kept as its name, that of a W3C log with the fields that were named last, and another as
its log_format: `state`, by which a later reading of the file goes on.
"""

from collections.abc import Iterator
from dataclasses import replace

from service.errors import UnknownFormat
from service.logs.chunks import LogFile, without_marks
from service.logs.container_text import ANY_PREFIX, plain_lines
from service.logs.format_options import FormatOptions
from service.logs.json_format import JsonFormat
from service.logs.line_layout import Layout
from service.logs.nginx_format import BUILT_IN, read_format
from service.logs.rejects import is_blank
from service.logs.shop_format import COLOUR, LINE
from service.logs.standard_format import StandardFormat
from service.logs.text_format import LAYOUTS, TextFormat, detect_layout
from service.logs.w3c_format import W3cFormat

SHOP = "shop"
W3C_STATE = "w3c "
TRIED_LINES = 10_000


def make_json_format(options: FormatOptions) -> JsonFormat:
    return JsonFormat(options.zone, {} if options.rules is None else options.rules.fields)


def restore_format(state: str, options: FormatOptions) -> StandardFormat | None:
    """Return the format that is kept as `state`; None for the shop's.

    :raises FormatError: it is none
    """
    if state.startswith(W3C_STATE):
        return W3cFormat(state.removeprefix(W3C_STATE))
    match read_format(state):
        case "shop":
            return None
        case "w3c":
            return W3cFormat()
        case "json":
            return make_json_format(options)
        case Layout() as layout:
            return TextFormat(replace(layout, zone=options.zone), state)
        case str(name):
            return TextFormat(replace(LAYOUTS[name], zone=options.zone), name)
        case fields:
            return JsonFormat(options.zone, fields, state)


class FormatSearch:
    """Holds lines against formats, in the order of the log, until one fits."""

    def __init__(self, options: FormatOptions) -> None:
        self._options = options
        self._declared = options.declared
        self._fixed = restore_format(options.declared, options) if options.declared else None
        self._json = make_json_format(options)
        self.w3c = W3cFormat()
        self.tried = 0

    def fit(self, line: bytes) -> str | None:
        """Return the state of the format that a line fits, None if it fits none; it is not blank."""
        self.tried += 1
        if self._declared is not None:
            if self._fixed is None:
                return self._declared if is_shop_line(line) else None
            line = plain_lines(line, self._fixed.prefix)
            return self._declared if self._fixed.fits(line) else None
        if is_shop_line(line):
            return SHOP
        plain = plain_lines(line, ANY_PREFIX)
        layout = detect_layout(plain)
        if layout is not None:
            return layout.name
        if self._json.fits(plain):
            return "json"
        return "w3c" if self.w3c.fits(plain_lines(line)) else None

    @property
    def is_over(self) -> bool:
        """Whether so many lines have been tried that the search is given up."""
        return self.tried >= TRIED_LINES

    def error(self) -> UnknownFormat:
        lines = "the only line" if self.tried == 1 else f"none of the first {self.tried:,} lines"
        verb = "does not fit" if self.tried == 1 else "fits"
        if self._declared is not None:
            return UnknownFormat(f"{lines} {verb} the format {self._declared}")
        names = ", ".join(BUILT_IN)
        return UnknownFormat(f"{lines} {verb} a known format: {names}, or a log_format in LOGS_FORMAT")


def is_shop_line(raw: bytes) -> bool:
    return LINE.fullmatch(COLOUR.sub("", raw.decode(errors="replace")).removesuffix("\r")) is not None


def log_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of a chunk that are not blank, without what may stand before them."""
    for raw in iter_lines(data):
        if not is_blank(raw):
            yield without_marks(raw)


def iter_lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of a chunk, and what stands behind the last newline: mostly the first is enough."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        yield data[start:end]
        start = end + 1
    yield data[start:]


def find_first_line(file: LogFile, options: FormatOptions) -> tuple[bytes | None, bool]:
    """Return the first line that fits a format, by which a file is known; None if there is none.

    Return too whether that is decided, whatever lines may follow. The file is read from where it stands.
    """
    search = FormatSearch(options)
    for chunk in file.chunks():
        for line in log_lines(chunk.data):
            if search.fit(line) is not None:
                return line, True
            if search.is_over:
                return None, True
    return None, False
