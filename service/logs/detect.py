"""Detects the format of a log, and parses its chunks by it."""

from datetime import datetime, tzinfo

from service.logs.chunks import Chunk
from service.logs.combined_format import LINE
from service.logs.line_columns import LineColumns
from service.logs.rejects import is_blank
from service.logs.shop_columns import ShopParser
from service.logs.shop_format import COLOUR, FIELDS
from service.logs.standard_columns import StandardParser
from service.logs.url_rules import Rules

SHOP, COMMON, COMBINED = "shop", "common", "combined"
TRIED_LINES = 20


def detect_format(head: bytes) -> str:
    """Return the format of the first of TRIED_LINES lines that has one; the shop's own if none has."""
    for raw in [line for line in head.split(b"\n") if not is_blank(line)][:TRIED_LINES]:
        line = COLOUR.sub("", raw.decode(errors="replace")).removesuffix("\r")
        if FIELDS[0][0].match(line):
            return SHOP
        if fields := LINE.fullmatch(line):
            return COMBINED if fields["combined"] else COMMON
    return SHOP


class LogParser:
    """Parses the chunks of one log into columns, in their order."""

    def __init__(self, *, zone: tzinfo, rules: Rules | None) -> None:
        self._shop = ShopParser(zone)
        self._standard = StandardParser(rules)

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        log_format = detect_format(chunk.head)
        if log_format == SHOP:
            return self._shop.parse(chunk, now=now)
        return self._standard.parse(chunk, log_format=log_format, now=now)
