"""Which format a log has, and its chunks as rows of visits whatever it is."""

from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

import polars as pl

from service.logs.chunks import Chunk
from service.logs.columnar import (
    VISIT_COLUMNS,
    ParsedChunk,
    RejectedLine,
    as_row,
    drop_duplicates,
    is_blank,
    line_offsets,
    parse_chunk,
    reject_of,
)
from service.logs.combined_format import LINE, LineKeys, parse_standard_line
from service.logs.shop_format import FIELDS, BadLine
from service.logs.url_rules import Rules

SHOP, COMMON, COMBINED = "shop", "common", "combined"
TRIED_LINES = 20


def detect_format(head: bytes) -> str:
    """The format of the first of the first lines that fits one; the shop's own if none does."""
    for raw in [line for line in head.split(b"\n") if not is_blank(line)][:TRIED_LINES]:
        line = raw.decode(errors="replace").removesuffix("\r")
        if FIELDS[0][0].match(line):
            return SHOP
        if found := LINE.fullmatch(line):
            return COMBINED if found["combined"] else COMMON
    return SHOP


def parse_log_chunk(chunk: Chunk, *, zone: tzinfo, rules: Rules | None, now: datetime) -> ParsedChunk:
    """Every line of the chunk, as a visit, a duplicate within the chunk, or a reject."""
    log_format = detect_format(chunk.head)
    if log_format == SHOP:
        return parse_chunk(chunk, zone=zone, now=now)
    return replace(parse_standard_chunk(chunk, rules=rules, now=now), log_format=log_format)


def parse_standard_chunk(chunk: Chunk, *, rules: Rules | None, now: datetime) -> ParsedChunk:
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
            rejects.append(reject_of(raw, position, offset, str(error)))
        else:
            visits.append((position, line.instant, key, line.address, line.url, *as_row(line.page)))
    return drop_duplicates(pl.DataFrame(visits, schema=VISIT_COLUMNS, orient="row"), rejects)
