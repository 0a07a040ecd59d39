"""Detects the format of a log, and parses its chunks by it."""

from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

import polars as pl

from service.logs.chunks import Chunk
from service.logs.columnar import (
    VISIT_COLUMNS,
    ParsedChunk,
    drop_duplicates,
    line_offsets,
    page_values,
    parse_chunk,
)
from service.logs.combined_format import LINE, LineKeys, parse_standard_line
from service.logs.frame_columns import from_frame
from service.logs.line_columns import LineColumns
from service.logs.rejects import RejectedLine, is_blank, make_reject
from service.logs.shop_columns import ShopParser
from service.logs.shop_format import COLOUR, FIELDS, BadLine
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


def parse_log_chunk(chunk: Chunk, *, zone: tzinfo, rules: Rules | None, now: datetime) -> ParsedChunk:
    """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
    log_format = detect_format(chunk.head)
    if log_format == SHOP:
        return parse_chunk(chunk, zone=zone, now=now)
    return replace(parse_standard_chunk(chunk, rules=rules, now=now), log_format=log_format)


def parse_standard_chunk(chunk: Chunk, *, rules: Rules | None, now: datetime) -> ParsedChunk:
    """Parse a chunk in the common or combined format, line by line."""
    visits: list[tuple[Any, ...]] = []
    rejects: list[RejectedLine] = []
    raw_lines = chunk.data.split(b"\n")
    keys = LineKeys(chunk.before, chunk.offset)
    offsets = line_offsets(raw_lines, chunk.offset)
    for position, (raw, offset) in enumerate(zip(raw_lines, offsets, strict=False), start=chunk.line):
        if is_blank(raw):
            continue
        key = keys.key(raw, offset)
        try:
            line = parse_standard_line(raw, rules, now)
        except BadLine as error:
            rejects.append(make_reject(raw, position, offset, str(error)))
        else:
            visits.append((position, line.instant, key, line.address, line.url, *page_values(line.page)))
    return drop_duplicates(pl.DataFrame(visits, schema=VISIT_COLUMNS, orient="row"), rejects)


class LogParser:
    """Parses the chunks of one log into columns, in their order."""

    def __init__(self, *, zone: tzinfo, rules: Rules | None) -> None:
        self._zone = zone
        self._rules = rules
        self._shop = ShopParser(zone)

    def parse(self, chunk: Chunk, *, now: datetime) -> LineColumns:
        """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
        if detect_format(chunk.head) == SHOP:
            return self._shop.parse(chunk, now=now)
        return from_frame(parse_log_chunk(chunk, zone=self._zone, rules=self._rules, now=now))
