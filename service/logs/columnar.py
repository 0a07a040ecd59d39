"""Parses a chunk of the log in columns: the common line by polars, the rest by the grammar of access_log.

Both give the same rows for the same bytes, which a property test holds them to. The common line is ASCII and
differs from the grammar only in being strict where the grammar is lenient (padding, other alphabets).
Addresses and URLs are told once for each distinct one, by the grammar itself, but for the URLs of carts:
hardly two of them are the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from io import BytesIO
from typing import Any

import polars as pl

from service.logs.chunks import Chunk
from service.logs.shop_format import (
    MAX_URL_CHARACTERS,
    BadLine,
    Page,
    parse_address,
    parse_line,
    parse_url,
    to_utc,
)

COMMON_LINE = (
    r"^shop_api      \| [0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-5][0-9] \[[A-Z0-9]{8}\] INFO: "
    r"[0-9a-fA-F.:]+ https?://[!-~]+$"
)
TIME_AT, KEY_AT, ADDRESS_AT = 16, 37, 53  # where the fields of a common line begin
NUMBER = "[1-9][0-9]{0,17}"  # of no more digits than surely fit into 64 bits
CART_URL = (
    r"^https?://[^/?#]+(?:"
    rf"/cart\?goods_id=(?P<goods_id>{NUMBER})&amount=(?P<amount>{NUMBER})&cart_id=(?P<filled>{NUMBER})"
    rf"|/pay\?user_id=(?P<user_id>{NUMBER})&cart_id=(?P<paying>{NUMBER})"
    rf"|/success_pay_(?P<paid>{NUMBER})/?)$"
)
REJECT_TEXT_CHARACTERS = 200

INSTANT = pl.Datetime("us", "UTC")
PAGE_COLUMNS: dict[str, Any] = {
    "kind": pl.String,
    "category": pl.String,
    "product": pl.String,
    "user_id": pl.Int64,
    "cart_id": pl.Int64,
    "goods_id": pl.Int64,
    "amount": pl.Int64,
}
VISIT_COLUMNS: dict[str, Any] = {
    "position": pl.Int64,
    "occurred_at": INSTANT,
    "request_id": pl.String,
    "address": pl.String,
    "page_url": pl.String,
    **PAGE_COLUMNS,
}


@dataclass(frozen=True, slots=True)
class RejectedLine:
    """A line that did not fit: `line` from 1, `offset` in bytes, and the first 200 characters of its text."""

    line: int
    offset: int
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedChunk:
    """`visits` has VISIT_COLUMNS, by (time, key), each once; blank lines count nowhere."""

    visits: pl.DataFrame
    rejects: list[RejectedLine]
    duplicates: int
    log_format: str = "shop"

    @property
    def lines(self) -> int:
        return self.visits.height + self.duplicates + len(self.rejects)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last visit."""
        times = self.visits["occurred_at"]
        return (times[0], times[-1]) if len(times) else None


def parse_chunk(chunk: Chunk, *, zone: tzinfo, now: datetime) -> ParsedChunk:
    """Every line of the chunk, as a visit, a duplicate within the chunk, or a reject."""
    lines = split_lines(chunk.data).with_columns(position=pl.int_range(pl.len(), dtype=pl.Int64) + chunk.line)
    fields = common_fields(lines.filter(pl.col("line").str.contains(COMMON_LINE)), zone)
    common = fields.join(told_once(fields["address"], parse_address, {"canonical": pl.String}), on="address")
    common = common.join(pages_of(fields["page_url"]), on="page_url")
    common = common.filter(pl.col("occurred_at").is_between(EPOCH, pl.lit(now) + DAY))
    common = common.with_columns(address=pl.col("canonical")).select(*VISIT_COLUMNS)
    others = lines.join(common, on="position", how="anti")
    strict, rejects = parse_others(others["position"].to_list(), chunk, zone=zone, now=now)
    return drop_duplicates(pl.concat([common, strict]), rejects)


EPOCH = pl.lit(datetime(1970, 1, 1, tzinfo=UTC), INSTANT)
DAY = pl.duration(days=1)


def split_lines(data: bytes) -> pl.DataFrame:
    """One row a line, in column `line`. Bytes that are not UTF-8 become U+FFFD: no common line then."""
    try:
        return read_lines(data)
    except pl.exceptions.ComputeError:
        return read_lines(data.decode(errors="replace").encode())


def read_lines(data: bytes) -> pl.DataFrame:
    """Behind an empty line, which is dropped again: polars unpacks what begins as gzip, zlib or zstd does."""
    return pl.read_lines(BytesIO(b"\n" + data), name="line").slice(1)


def common_fields(lines: pl.DataFrame, zone: tzinfo) -> pl.DataFrame:
    """The fields of common lines, as written; `occurred_at` is null where there is no such local time."""
    line = pl.col("line")
    address_and_url = line.str.slice(ADDRESS_AT).str.splitn(" ", 2)
    return lines.select(
        "position",
        occurred_at=in_utc(
            line.str.slice(TIME_AT, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False), zone
        ),
        request_id=line.str.slice(KEY_AT, 8),
        address=address_and_url.struct.field("field_0"),
        page_url=address_and_url.struct.field("field_1"),
    )


def in_utc(local_time: pl.Expr, zone: tzinfo) -> pl.Expr:
    """Local times as instants; null in the gap of a clock, which the grammar then tells."""
    if zone is UTC or str(zone) == "UTC":
        return local_time.dt.replace_time_zone("UTC").cast(INSTANT)
    aware = local_time.dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC").cast(INSTANT)


def pages_of(urls: pl.Series) -> pl.DataFrame:
    """What each distinct URL stands for, but for those refused: columns page_url and PAGE_COLUMNS."""
    url = pl.col("page_url")
    distinct = urls.unique().to_frame()
    numbers = distinct.with_columns(url.str.extract_groups(CART_URL).alias("numbers")).unnest("numbers")
    kind = (
        pl.when(url.str.len_bytes() > MAX_URL_CHARACTERS)
        .then(None)
        .when(pl.col("goods_id").is_not_null())
        .then(pl.lit("cart"))
        .when(pl.col("user_id").is_not_null())
        .then(pl.lit("pay"))
        .when(pl.col("paid").is_not_null())
        .then(pl.lit("success"))
    )
    told = numbers.with_columns(kind=kind, cart_id=pl.coalesce("filled", "paying", "paid"))
    carts = told.filter(pl.col("kind").is_not_null()).select(
        "page_url",
        *(
            (pl.col(name) if name in told.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in PAGE_COLUMNS.items()
        ),
    )
    others = told.filter(pl.col("kind").is_null())["page_url"]
    return pl.concat([carts, told_once(others, parse_url, PAGE_COLUMNS)])


def told_once(texts: pl.Series, tell: Any, columns: dict[str, Any]) -> pl.DataFrame:
    """What the grammar says of each distinct text; none of those that it refuses."""
    told: list[tuple[Any, ...]] = []
    for text in texts.unique():
        try:
            told.append((text, *as_row(tell(text))))
        except BadLine:
            continue
    return pl.DataFrame(told, schema={texts.name: pl.String, **columns}, orient="row")


def as_row(told: str | Page) -> tuple[Any, ...]:
    if isinstance(told, str):
        return (told,)
    return (told.kind, told.category, told.product, told.user_id, told.cart_id, told.goods_id, told.amount)


def parse_others(
    positions: list[int], chunk: Chunk, *, zone: tzinfo, now: datetime
) -> tuple[pl.DataFrame, list[RejectedLine]]:
    """The lines at `positions`, by the grammar."""
    visits: list[tuple[Any, ...]] = []
    rejects: list[RejectedLine] = []
    raw_lines = chunk.data.split(b"\n") if positions else []
    offsets = line_offsets(raw_lines, chunk.offset)
    for position in positions:
        raw = raw_lines[position - chunk.line]
        if is_blank(raw):
            continue
        try:
            line = parse_line(raw)
            instant = to_utc(line.local_time, zone, now)
        except BadLine as error:
            rejects.append(reject_of(raw, position, offsets[position - chunk.line], str(error)))
        else:
            visits.append((position, instant, line.key, line.address, line.url, *as_row(line.page)))
    return pl.DataFrame(visits, schema=VISIT_COLUMNS, orient="row"), rejects


def reject_of(raw: bytes, line: int, offset: int, reason: str) -> RejectedLine:
    """The reject of a line, its text as PostgreSQL can store it."""
    text = raw[: 4 * REJECT_TEXT_CHARACTERS].decode(errors="replace").removesuffix("\r")
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:REJECT_TEXT_CHARACTERS]
    return RejectedLine(line, offset, reason, text)


def line_offsets(raw_lines: list[bytes], start: int) -> list[int]:
    offsets = [start]
    for raw in raw_lines:
        offsets.append(offsets[-1] + len(raw) + 1)
    return offsets


def is_blank(raw: bytes) -> bool:
    """Only white space, as far as ASCII goes: a line of other bytes is told as a reject, not passed over."""
    return not raw.strip()


def drop_duplicates(visits: pl.DataFrame, rejects: list[RejectedLine]) -> ParsedChunk:
    """By (time, key); of the lines with the same, the first in the file stays."""
    ordered = visits.sort("occurred_at", "request_id", "position")
    time, key = pl.col("occurred_at"), pl.col("request_id")
    once = ordered.filter(time.ne_missing(time.shift()) | key.ne_missing(key.shift()))
    return ParsedChunk(once, rejects, visits.height - once.height)
