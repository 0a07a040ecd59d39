"""Parses the chunks of a log by its format, which it detects."""

from dataclasses import replace
from datetime import datetime

from service.logs.chunks import Chunk, without_marks
from service.logs.container_text import plain_lines
from service.logs.detect import SHOP, FormatSearch, iter_lines, log_lines, restore_format
from service.logs.format_options import FormatOptions
from service.logs.line_columns import LineColumns
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.shop_columns import ShopParser
from service.logs.standard_columns import StandardParser
from service.logs.standard_format import StandardFormat
from service.logs.w3c_format import W3cFormat

MAX_HELD = 1024  # bytes of a line, of which a reject shows fewer


class LogParser:
    """Parses the chunks of one log into columns, in their order.

    Chunks before the first line that fits a format are held: they are rejects of that format.
    """

    def __init__(self, options: FormatOptions, *, state: str | None = None) -> None:
        """`state` is that of a parser which has read the log up to the first chunk; None detects the format.

        :raises FormatError: the declared format is none
        """
        self._options = options
        self._format: StandardFormat | None = None
        self._parser: ShopParser | StandardParser | None = None
        self._search = FormatSearch(options)
        self._held: list[tuple[int, int, bytes]] = []
        declared = options.declared
        if state is not None and (declared is None or state.partition(" ")[0] == declared):
            self._begin(state)

    @property
    def state(self) -> str | None:
        """The format as a later reading of the log needs it; None before it is known."""
        if self._parser is None:
            return None
        return SHOP if self._format is None else self._format.state

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns | None:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject.

        Return None while no line has fitted a format.

        :raises UnknownFormat: none of the first lines has
        """
        held = list[RejectedLine]()
        if self._parser is None:
            if not self._detect(chunk):
                return None
            held = self._rejects()
        assert self._parser is not None
        columns = self._parser.parse(chunk, now=now)
        return replace(columns, rejects=[*held, *columns.rejects]) if held else columns

    def finish(self) -> None:
        """Check, at the end of the log, that its format is known, if it has any lines.

        :raises UnknownFormat: it is not
        """
        if self._parser is None and any(not plain_lines(raw).startswith(b"#") for _, _, raw in self._held):
            raise self._search.error()

    def _begin(self, state: str) -> None:
        self._format = restore_format(state, self._options)
        options = self._options
        self._parser = (
            ShopParser(options.zone) if self._format is None else StandardParser(self._format, options.rules)
        )

    def _detect(self, chunk: Chunk) -> bool:
        """Search the chunk for a line that fits a format; if there is none, hold its lines.

        A log that is read on without its state, as an old version left it, is known by its first lines.
        """
        fields = self._search.w3c.state  # that were named before the chunk
        if chunk.before:
            for line in log_lines(chunk.head.rpartition(b"\n")[0]):
                state = self._search.fit(line)
                if state is not None:
                    self._begin(self._search.w3c.state if state == "w3c" else state)
                    return True
        offset, held = chunk.offset, list[tuple[int, int, bytes]]()
        for number, raw in enumerate(iter_lines(chunk.data), start=chunk.line):
            if not is_blank(raw):
                line = without_marks(raw)
                state = self._search.fit(line)
                if state is not None:
                    self._begin(fields if state == "w3c" else state)
                    return True
                if self._search.is_over:
                    raise self._search.error()
                held.append((number, offset + len(raw) - len(line), line[:MAX_HELD]))
            offset += len(raw) + 1
        self._held += held
        return False

    def _rejects(self) -> list[RejectedLine]:
        """Return the lines that were held, as rejects; comments of a W3C log are none."""
        log_format = SHOP if self._format is None else self._format.name
        is_w3c = isinstance(self._format, W3cFormat)
        reason = f"not a line of the {log_format} log format"
        rejects = [
            make_reject(raw, line, offset, reason, log_format=log_format)
            for line, offset, raw in self._held
            if not (is_w3c and plain_lines(raw).startswith(b"#"))
        ]
        self._held.clear()
        return rejects
