"""Moves the log lines of builds before revision 0020 from rows into parts, a span of time after the other.

`old_visit` is only read, so nothing is lost if it ends in between: the last part tells where to go on. What
is written here is the schema of revision 0020, and stays so.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Result, text


@dataclass(frozen=True, slots=True)
class MoveLimits:
    """How many lines a span has, about."""

    lines: int = 100_000


LIMITS = MoveLimits()

# A utility statement, such as the one after it, takes no parameters.
SPAN_END = """
    SELECT set_config('trawl.span_end', coalesce(max(CAST(occurred_at AS text)), 'infinity'), true)
    FROM (
        SELECT occurred_at FROM old_visit
        WHERE occurred_at > coalesce((SELECT max(last_at) FROM visit_part), '-infinity') AND source = 'log'
        ORDER BY occurred_at OFFSET :lines LIMIT 1
    ) AS span
"""

SPAN = """
    CREATE TEMPORARY TABLE span ON COMMIT DROP AS
    SELECT
        occurred_at,
        line_key(request_id) AS key,
        position,
        kind AS kind_name,
        CAST(CASE kind
            WHEN 'main' THEN 'm' WHEN 'category' THEN 'c' WHEN 'product' THEN 'p' WHEN 'cart' THEN 't'
            WHEN 'pay' THEN 'y' WHEN 'success' THEN 's' WHEN 'asset' THEN 'a' ELSE 'o'
        END AS "char") AS kind,
        address, country, category_id, product_id, user_id, cart_id, goods_id, amount,
        coalesce(import_id, 0) AS import_id,
        page_url
    FROM old_visit
    WHERE
        occurred_at > coalesce((SELECT max(last_at) FROM visit_part), '-infinity')
        AND occurred_at <= CAST(current_setting('trawl.span_end') AS timestamptz)
        AND source = 'log'
"""

ADDRESSES = """
    INSERT INTO address (address, country)
    SELECT DISTINCT ON (span.address) span.address, span.country
    FROM span
    WHERE NOT EXISTS (SELECT FROM address WHERE address.address = span.address)
    ORDER BY span.address, span.country
"""

FIRST_PRODUCTS = """
    UPDATE address SET first_product_at = first.at
    FROM (
        SELECT address, min(occurred_at) AS at FROM span WHERE kind_name = 'product' GROUP BY address
    ) AS first
    WHERE address.address = first.address AND address.first_product_at IS NULL
"""

# The country of a line is that of its address from now on: where they differ, lines are counted anew.
CHANGES = """
    CREATE TEMPORARY TABLE change ON COMMIT DROP AS
    SELECT
        date_bin('1 day', span.occurred_at, 'epoch') AS day,
        span.category_id,
        span.kind_name,
        counted.country,
        sum(counted.requests) AS requests
    FROM span
    INNER JOIN address ON span.address = address.address
    CROSS JOIN LATERAL (VALUES (span.country, -1), (address.country, 1)) AS counted (country, requests)
    WHERE span.country IS DISTINCT FROM address.country AND counted.country IS NOT NULL
    GROUP BY 1, 2, 3, 4
"""
COUNTS = (
    """
    INSERT INTO country_day AS total (day, country, source, requests)
    SELECT day, country, 'log', sum(requests) FROM change GROUP BY day, country
    ON CONFLICT (day, country, source) DO UPDATE SET requests = total.requests + excluded.requests
    """,
    """
    INSERT INTO category_country_day AS total (category_id, day, country, kind, source, requests)
    SELECT category_id, day, country, kind_name, 'log', requests FROM change WHERE category_id IS NOT NULL
    ON CONFLICT (category_id, day, country, kind, source)
    DO UPDATE SET requests = total.requests + excluded.requests
    """,
    "DELETE FROM country_day USING change WHERE country_day.day = change.day AND country_day.requests = 0",
    """
    DELETE FROM category_country_day USING change
    WHERE category_country_day.day = change.day AND category_country_day.requests = 0
    """,
)

HOSTS = """
    CREATE TEMPORARY TABLE host ON COMMIT DROP AS
    SELECT import_id, coalesce(
        mode() WITHIN GROUP (ORDER BY coalesce(substring(page_url FROM '^https?://[^/?#]+'), ''))
            FILTER (WHERE kind IN ('t', 'y', 's')), '') AS host
    FROM span
    GROUP BY import_id
"""

# The pages of the span but those whose URL is the template of their kind.
PAGES = """
    CREATE TEMPORARY TABLE span_page ON COMMIT DROP AS
    SELECT
        distinct_page.*,
        sha256(convert_to(
            page_url || E'\\n' || CAST(kind AS text) || E'\\n' || coalesce(CAST(category_id AS text), '')
            || E'\\n' || coalesce(CAST(product_id AS text), ''), 'UTF8'
        )) AS digest,
        CAST(NULL AS int) AS id
    FROM (
        SELECT DISTINCT span.page_url, span.kind, span.category_id, span.product_id
        FROM span
        INNER JOIN host ON span.import_id = host.import_id
        WHERE
            span.kind NOT IN ('t', 'y', 's')
            OR span.page_url <> template_url(
                host.host, span.kind, span.cart_id, span.goods_id, span.amount, span.user_id
            )
    ) AS distinct_page
"""
NEW_PAGES = """
    INSERT INTO page (url, kind, category_id, product_id, digest)
    SELECT page_url, kind, category_id, product_id, digest FROM span_page
    WHERE NOT EXISTS (SELECT FROM page WHERE page.digest = span_page.digest)
    ORDER BY page_url
"""
PAGE_IDS = "UPDATE span_page SET id = page.id FROM page WHERE span_page.digest = page.digest"

PARTS = """
    INSERT INTO visit_part (
        import_id, first_at, last_at, visits, first_position, host, page_ids, cart_ids, occurred, key,
        position, address_id, page_id, kind, cart_id, goods_id, amount, user_id
    )
    SELECT
        import_id,
        min(occurred_at),
        max(occurred_at),
        count(*),
        min(first_position),
        min(host),
        coalesce(array_agg(DISTINCT page_id) FILTER (WHERE page_id > 0), '{}'),
        int8range(min(cart_id), max(cart_id), '[]'),
        array_agg(occurred_at ORDER BY ordinal),
        array_agg(key ORDER BY ordinal),
        CASE
            WHEN NOT bool_and(position = first_position + ordinal) THEN array_agg(position ORDER BY ordinal)
        END,
        array_agg(address_id ORDER BY ordinal),
        array_agg(page_id ORDER BY ordinal),
        array_agg(kind ORDER BY ordinal),
        CASE WHEN count(cart_id) > 0 THEN array_agg(cart_id ORDER BY ordinal) END,
        CASE WHEN count(goods_id) > 0 THEN array_agg(goods_id ORDER BY ordinal) END,
        CASE WHEN count(amount) > 0 THEN array_agg(amount ORDER BY ordinal) END,
        CASE WHEN count(user_id) > 0 THEN array_agg(user_id ORDER BY ordinal) END
    FROM (
        SELECT
            span.*,
            host.host,
            address.id AS address_id,
            coalesce(span_page.id, 0) AS page_id,
            row_number() OVER lines - 1 AS ordinal,
            first_value(span.position) OVER lines AS first_position
        FROM span
        INNER JOIN host ON span.import_id = host.import_id
        INNER JOIN address ON span.address = address.address
        LEFT JOIN span_page
            ON
                span.page_url = span_page.page_url
                AND span.kind = span_page.kind
                AND span.category_id IS NOT DISTINCT FROM span_page.category_id
                AND span.product_id IS NOT DISTINCT FROM span_page.product_id
        WINDOW lines AS (PARTITION BY span.import_id ORDER BY span.occurred_at, span.position, span.key)
    ) AS line
    GROUP BY import_id
"""


def move_span(connection: Connection, limits: MoveLimits = LIMITS) -> int:
    """Move the first lines that are not moved yet, in the caller's transaction. Return how many they are."""

    def execute(statement: str, **parameters: int) -> Result[Any]:
        return connection.execute(text(statement), parameters)

    execute(SPAN_END, lines=limits.lines)
    execute(SPAN)
    lines: int = execute("SELECT count(*) FROM span").scalar_one()
    if lines:
        for statement in (ADDRESSES, FIRST_PRODUCTS, CHANGES, *COUNTS, HOSTS, PAGES, NEW_PAGES, PAGE_IDS):
            execute(statement)
        execute("ANALYZE span_page")
        execute(PARTS)
    for table in ("span", "change", "host", "span_page"):
        execute(f"DROP TABLE IF EXISTS {table}")
    return lines


def estimate_lines(connection: Connection) -> int:
    """Return about how many lines there are to move, by the statistics of PostgreSQL."""
    statement = "SELECT greatest(reltuples, 0) FROM pg_class WHERE oid = to_regclass('old_visit')"
    return int(connection.execute(text(statement)).scalar() or 0)
