"""What readers of columns ask PostgreSQL for, by asyncpg's statements: parts and names."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import Record

from calendar_days import microseconds
from db import narrow_columns
from db.columns import Valid, Values, decode
from db.database import Raw
from db.narrow_columns import with_forms
from db.part_files import Array

ARRAYS = (
    "occurred",
    "key",
    "address_id",
    "page_id",
    "kind",
    "cart_id",
    "goods_id",
    "amount",
    "user_id",
    "method",
    "status",
    "bytes",
    "referrer_id",
    "agent_id",
    "request_id",
    "visitor_id",
)
DENSE = 8  # ids are selected as a range if it holds at most so many times as many as are needed

SPANS = """
    SELECT id, token, first_at, last_at, visits, host, source
    FROM visit_part
    WHERE
        ($1::timestamptz IS NULL OR last_at >= $1)
        AND ($2::timestamptz IS NULL OR first_at < $2)
        AND ($3::text[] IS NULL OR source = ANY($3))
    ORDER BY last_at DESC, id DESC
"""
PART_ARRAYS = f"""
    SELECT token, {", ".join(f"array_send({name}) AS {name}" for name in with_forms(ARRAYS))}
    FROM visit_part_columns WHERE token = ANY($1::uuid[])
"""  # noqa: S608 - made of the constants above
# PostgreSQL plans the statements of the transaction for their values: a generic plan treats an absent filter
# like a present one.
BEGIN = """
    SELECT (SELECT version FROM address_version), set_config('plan_cache_mode', 'force_custom_plan', TRUE)
"""
COUNTRIES = """
    SELECT country, array_send(array_agg(id)) AS ids
    FROM address WHERE id {} GROUP BY country
"""
VARIANTS = """
    SELECT array_send(array_agg(own.id)) AS ids, array_send(array_agg(main.id)) AS main_ids
    FROM address AS own
    INNER JOIN address AS main ON own.address = main.address AND main.variant = 0
    WHERE own.variant > 0
"""
PAGE_CATEGORIES = """
    SELECT category_id, array_send(array_agg(id)) AS ids
    FROM page WHERE id {} GROUP BY category_id
"""
PAGE_TWINS = """
    SELECT page.id, twin.id AS twin_id
    FROM page INNER JOIN page AS twin ON page.url = twin.url AND page.id <> twin.id
    WHERE page.id {}
"""
TEMPLATE_PAGES = r"""
    SELECT id, url FROM page WHERE id {} AND (url LIKE '%&cart\_id=%' OR url LIKE '%/success\_pay\_%')
"""
AGENTS = """
    SELECT browser, os, device, is_bot, array_send(array_agg(id)) AS ids
    FROM agent WHERE id {} GROUP BY browser, os, device, is_bot
"""
REFERRERS = """
    SELECT host, array_send(array_agg(id)) AS ids
    FROM referrer WHERE id {} GROUP BY host
"""
REFERRER_URLS = "SELECT id, url FROM referrer WHERE id = ANY($1::int[])"
IN_RANGE, IN_LIST = "BETWEEN $1 AND $2", "= ANY($1::int[])"
PAGES = """
    SELECT page.id, page.url, category.name AS category, product.name AS product
    FROM page
    LEFT JOIN category ON page.category_id = category.id
    LEFT JOIN product ON page.product_id = product.id
    WHERE page.id = ANY($1::int[])
"""
PAGE_IDS = "SELECT id, url FROM page WHERE url = ANY($1::text[])"
CATEGORIES = "SELECT id, name FROM category WHERE id = ANY($1::int[])"


@dataclass(frozen=True, slots=True)
class Span:
    """A part of visits without its columns. Times are microseconds since 1970.

    :param source: of all its visits: log, or that of live ones
    """

    id: int
    token: uuid.UUID
    first_at: int
    last_at: int
    visits: int
    host: str
    source: str = "log"

    @property
    def is_live(self) -> bool:
        """Whether its visits were live ones."""
        return self.source != "log"


@dataclass(frozen=True, slots=True)
class PageName:
    url: str
    category: str | None
    product: str | None


@dataclass(frozen=True, slots=True)
class AgentTraits:
    """What a user agent tells."""

    browser: str | None
    os: str | None
    device: str | None
    is_bot: bool


async def select_spans(
    raw: Raw, since: datetime | None, until: datetime | None, sources: Collection[str] | None = None
) -> list[Span]:
    """Return the parts that may have visits of [since, until), those with the newest first.

    :param sources: of their visits; None for any
    """
    names = None if sources is None else list(sources)
    return [
        Span(part_id, token, microseconds(first_at), microseconds(last_at), visits, host, source)
        for part_id, token, first_at, last_at, visits, host, source in await raw.fetch(
            SPANS, since, until, names
        )
    ]


async def select_part_arrays(raw: Raw, tokens: Sequence[uuid.UUID]) -> dict[uuid.UUID, Record]:
    """Return the arrays of parts, as PostgreSQL sends them, by token."""
    rows = await raw.fetch(PART_ARRAYS, tokens)
    return {row["token"]: row for row in rows}


def decode_arrays(row: Record) -> dict[str, tuple[Values, Valid | None] | None]:
    """Decode what `select_part_arrays` returned of a part."""
    return narrow_columns.decode_arrays(dict(row), ARRAYS)


async def begin_reading(raw: Raw) -> int:
    """Begin to read in a transaction; return what changes whenever the country of an address does."""
    return await raw.fetchval(BEGIN) or 0


async def select_by_ids(raw: Raw, query: str, ids: Array) -> list[Record]:
    """Run a query that takes ids as a list, or where there are many as a range."""
    low, high = int(ids.min()), int(ids.max())
    if high - low < DENSE * len(ids):
        rows: list[Record] = await raw.fetch(query.format(IN_RANGE), low, high)
    else:
        rows = await raw.fetch(query.format(IN_LIST), ids.tolist())
    return rows


async def select_countries(raw: Raw, ids: Array) -> list[tuple[str | None, Array]]:
    """Return the ids of addresses by country; also of some that were not asked for."""
    rows = await select_by_ids(raw, COUNTRIES, ids)
    return [(row["country"], decode(row["ids"])[0]) for row in rows]


async def select_variants(raw: Raw) -> tuple[Array, Array] | None:
    """Return the ids of variants of masked addresses, and which addresses they are; None without any."""
    [row] = await raw.fetch(VARIANTS)
    return None if row["ids"] is None else (decode(row["ids"])[0], decode(row["main_ids"])[0])


async def select_page_categories(raw: Raw, ids: Array) -> list[tuple[int | None, Array]]:
    """Return the ids of pages by category; also of some that were not asked for."""
    rows = await select_by_ids(raw, PAGE_CATEGORIES, ids)
    return [(row["category_id"], decode(row["ids"])[0]) for row in rows]


async def select_agents(raw: Raw, ids: Array) -> list[tuple[AgentTraits, Array]]:
    """Return the ids of agents by what agents tell; also of some that were not asked for."""
    rows = await select_by_ids(raw, AGENTS, ids)
    return [
        (AgentTraits(row["browser"], row["os"], row["device"], row["is_bot"]), decode(row["ids"])[0])
        for row in rows
    ]


async def select_referrers(raw: Raw, ids: Array) -> list[tuple[str | None, Array]]:
    """Return the ids of referrers by host; also of some that were not asked for."""
    rows = await select_by_ids(raw, REFERRERS, ids)
    return [(row["host"], decode(row["ids"])[0]) for row in rows]


async def select_referrer_urls(raw: Raw, ids: Sequence[int]) -> dict[int, str]:
    """Return the URLs of referrers by id."""
    return {row["id"]: row["url"] for row in await raw.fetch(REFERRER_URLS, ids)}


async def select_page_twins(raw: Raw, ids: Array) -> list[tuple[int, int]]:
    """Return for each of these pages the other pages that have its URL, as pairs (page, other)."""
    return [(row["id"], row["twin_id"]) for row in await select_by_ids(raw, PAGE_TWINS, ids)]


async def select_template_pages(raw: Raw, ids: Array) -> list[tuple[int, str]]:
    """Return ids and URLs of those pages that look like template pages; also of some not asked for."""
    return [(row["id"], row["url"]) for row in await select_by_ids(raw, TEMPLATE_PAGES, ids)]


async def select_page_names(raw: Raw, ids: Sequence[int]) -> dict[int, PageName]:
    """Return the names of pages by id."""
    rows = await raw.fetch(PAGES, ids)
    return {page_id: PageName(url, category, product) for page_id, url, category, product in rows}


async def select_page_ids(raw: Raw, urls: Sequence[str]) -> list[tuple[int, str]]:
    """Return the ids of pages and their URLs. The same URL may stand for several."""
    return [(row["id"], row["url"]) for row in await raw.fetch(PAGE_IDS, urls)]


async def select_category_names(raw: Raw, ids: Sequence[int]) -> dict[int, str]:
    return {row["id"]: row["name"] for row in await raw.fetch(CATEGORIES, ids)}


async def select_newest_page(raw: Raw) -> int:
    """Return the greatest id of a page; 0 if there is none."""
    return await raw.fetchval("SELECT max(id) FROM page") or 0


async def select_newest_category(raw: Raw) -> int:
    return await raw.fetchval("SELECT max(id) FROM category") or 0
