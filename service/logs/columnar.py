"""Parses a chunk of the log in columns: the common line by polars, all others line by line (shop_format).

Both give the same rows for the same bytes; a property test compares them. The common line is ASCII, and
stricter than the grammar (padding, other alphabets), so that what matches here matches there too.
Addresses and URLs are parsed by the grammar, each distinct one once. Only the URLs of carts are parsed here:
hardly two of them are equal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from io import BytesIO
from typing import Any

import polars as pl

from service.logs.chunks import Chunk
from service.logs.rejects import RejectedLine, is_blank, make_reject
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
NUMBER = "[1-9][0-9]{0,17}"  # only as many digits as always fit into 64 bits
CART_URL = (
    r"^https?://[^/?#]+(?:"
    rf"/cart\?goods_id=(?P<goods_id>{NUMBER})&amount=(?P<amount>{NUMBER})&cart_id=(?P<filled>{NUMBER})"
    rf"|/pay\?user_id=(?P<user_id>{NUMBER})&cart_id=(?P<paying>{NUMBER})"
    rf"|/success_pay_(?P<paid>{NUMBER})/?)$"
)

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
class ParsedChunk:
    """`visits` has VISIT_COLUMNS, sorted by (time, key), each pair once. Blank lines count nowhere."""

    visits: pl.DataFrame
    rejects: list[RejectedLine]
    duplicates: int
    log_format: str = "shop"

    @property
    def lines(self) -> int:
        return self.visits.height + self.duplicates + len(self.rejects)

    @property
    def span(self) -> tuple[datetime, datetime] | None:
        """The times of the first and the last visit; None without visits."""
        times = self.visits["occurred_at"]
        return (times[0], times[-1]) if len(times) else None


def parse_chunk(chunk: Chunk, *, zone: tzinfo, now: datetime) -> ParsedChunk:
    """Parse every line of the chunk: into a visit, a duplicate within the chunk, or a reject."""
    lines = split_lines(chunk.data).with_columns(position=pl.int_range(pl.len(), dtype=pl.Int64) + chunk.line)
    fields = common_fields(lines.filter(pl.col("line").str.contains(COMMON_LINE)), zone)
    addresses = parse_distinct(
        fields["address"], lambda address: (parse_address(address),), {"canonical": pl.String}
    )
    common = fields.join(addresses, on="address").join(parse_urls(fields["page_url"]), on="page_url")
    common = common.filter(pl.col("occurred_at").is_between(EPOCH, pl.lit(now) + DAY))
    common = common.with_columns(address=pl.col("canonical")).select(*VISIT_COLUMNS)
    others = lines.join(common, on="position", how="anti")
    uncommon, rejects = parse_line_by_line(others["position"].to_list(), chunk, zone=zone, now=now)
    return drop_duplicates(pl.concat([common, uncommon]), rejects)


EPOCH = pl.lit(datetime(1970, 1, 1, tzinfo=UTC), INSTANT)
DAY = pl.duration(days=1)


def split_lines(data: bytes) -> pl.DataFrame:
    """Return a row a line, in column `line`. Bytes that are not UTF-8 become U+FFFD, as in no common line."""
    try:
        return read_lines(data)
    except pl.exceptions.ComputeError:
        return read_lines(data.decode(errors="replace").encode())


def read_lines(data: bytes) -> pl.DataFrame:
    """Read lines behind an empty one, which is dropped: polars decompresses what begins like gzip."""
    return pl.read_lines(BytesIO(b"\n" + data), name="line").slice(1)


def common_fields(lines: pl.DataFrame, zone: tzinfo) -> pl.DataFrame:
    """Return the fields of common lines, as written; `occurred_at` is null where there is no such time."""
    line = pl.col("line")
    address_and_url = line.str.slice(ADDRESS_AT).str.splitn(" ", 2)
    return lines.select(
        "position",
        occurred_at=to_instants(
            line.str.slice(TIME_AT, 19).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False), zone
        ),
        request_id=line.str.slice(KEY_AT, 8),
        address=address_and_url.struct.field("field_0"),
        page_url=address_and_url.struct.field("field_1"),
    )


def to_instants(local_time: pl.Expr, zone: tzinfo) -> pl.Expr:
    """Convert local times to UTC. Times that the clock skips become null: the grammar parses those lines."""
    if zone is UTC or str(zone) == "UTC":
        return local_time.dt.replace_time_zone("UTC").cast(INSTANT)
    aware = local_time.dt.replace_time_zone(str(zone), ambiguous="earliest", non_existent="null")
    return aware.dt.convert_time_zone("UTC").cast(INSTANT)


def parse_urls(urls: pl.Series) -> pl.DataFrame:
    """Return the page of each distinct URL that is good: columns page_url and PAGE_COLUMNS."""
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
    pages = numbers.with_columns(kind=kind, cart_id=pl.coalesce("filled", "paying", "paid"))
    carts = pages.filter(pl.col("kind").is_not_null()).select(
        "page_url",
        *(
            (pl.col(name) if name in pages.columns else pl.lit(None)).cast(dtype).alias(name)
            for name, dtype in PAGE_COLUMNS.items()
        ),
    )
    others = pages.filter(pl.col("kind").is_null())["page_url"]
    return pl.concat([carts, parse_distinct(others, lambda url: page_values(parse_url(url)), PAGE_COLUMNS)])


def parse_distinct(
    texts: pl.Series, parse: Callable[[str], tuple[Any, ...]], columns: dict[str, Any]
) -> pl.DataFrame:
    """Parse each distinct text once: a column of the texts, then `columns`. Bad texts are left out."""
    rows: list[tuple[Any, ...]] = []
    for text in texts.unique():
        try:
            rows.append((text, *parse(text)))
        except BadLine:
            continue
    return pl.DataFrame(rows, schema={texts.name: pl.String, **columns}, orient="row")


def page_values(page: Page) -> tuple[Any, ...]:
    """Return the values of PAGE_COLUMNS."""
    return (page.kind, page.category, page.product, page.user_id, page.cart_id, page.goods_id, page.amount)


def parse_line_by_line(
    positions: list[int], chunk: Chunk, *, zone: tzinfo, now: datetime
) -> tuple[pl.DataFrame, list[RejectedLine]]:
    """Parse the lines with these numbers by the grammar, into visits and rejects."""
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
            rejects.append(make_reject(raw, position, offsets[position - chunk.line], str(error)))
        else:
            visits.append((position, instant, line.key, line.address, line.url, *page_values(line.page)))
    return pl.DataFrame(visits, schema=VISIT_COLUMNS, orient="row"), rejects


def line_offsets(raw_lines: list[bytes], start: int) -> list[int]:
    """Return the offset of each line in the file; `start` is that of the first."""
    offsets = [start]
    for raw in raw_lines:
        offsets.append(offsets[-1] + len(raw) + 1)
    return offsets


def drop_duplicates(visits: pl.DataFrame, rejects: list[RejectedLine]) -> ParsedChunk:
    """Sort visits by (time, key) and keep the first in the file of those that have the same."""
    ordered = visits.sort("occurred_at", "request_id", "position")
    time, key = pl.col("occurred_at"), pl.col("request_id")
    unique = ordered.filter(time.ne_missing(time.shift()) | key.ne_missing(key.shift()))
    return ParsedChunk(unique, rejects, visits.height - unique.height)
