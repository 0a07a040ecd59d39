"""Live visits that are merged into a part: chosen, read as columns, and deleted."""

import uuid
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from sqlalchemy.ext.asyncio import AsyncSession

from db.columns import Values, decode
from db.part_files import NO_VISITOR
from db.queries.new_parts import Part, encode_part, insert_part, next_part_id
from db.queries.pages import PageRow, ensure_pages
from db.queries.part_columns import NO_VALUE, TYPES, Columns
from db.sessions import raw_connection
from db.threads import run_in_thread
from db.visit_ids import Ids, id_texts

# Of live visits of a source before a moment the first $3 that a part shows as their row does: with the
# country of their address and what their agent tells. The others stay rows. `host` is what the URL of a
# template page begins with; none of a page that is named by its path, whose visits are counted for it.
CHOSEN = f"""
    WITH first AS MATERIALIZED (
        SELECT live_visit.ctid AS place, live_visit.*, address.id AS address_id, address.first_product_at
        FROM live_visit
        INNER JOIN address ON live_visit.address = address.address AND address.variant = 0
        LEFT JOIN agent ON live_visit.agent_id = agent.id
        WHERE
            live_visit.source = $1
            AND live_visit.occurred_at < $2
            AND live_visit.country IS NOT DISTINCT FROM address.country
            AND live_visit.is_bot = coalesce(agent.is_bot, FALSE)
            AND live_visit.user_id IS DISTINCT FROM {NO_VISITOR}
        ORDER BY live_visit.occurred_at, live_visit.request_id
        LIMIT $3
    ),
    coded AS (
        SELECT
            first.*,
            CASE first.kind WHEN 'cart' THEN 't' WHEN 'pay' THEN 'y' ELSE left(first.kind, 1) END AS code,
            template_url(
                '',
                CAST(CASE first.kind WHEN 'cart' THEN 't' WHEN 'pay' THEN 'y' ELSE 's' END AS "char"),
                first.cart_id, first.goods_id, first.amount, first.buyer_id
            ) AS path
        FROM first
    ),
    chosen AS MATERIALIZED (
        SELECT
            coded.*,
            CASE
                WHEN
                    coded.code IN ('t', 'y', 's')
                    AND coded.page_url NOT LIKE '/%'
                    AND right(coded.page_url, length(coded.path)) = coded.path
                    THEN left(coded.page_url, -length(coded.path))
            END AS host,
            sha256(
                convert_to(
                    concat_ws(
                        E'\\n', coded.page_url, coded.code,
                        coalesce(CAST(coded.category_id AS text), ''),
                        coalesce(CAST(coded.product_id AS text), '')
                    ),
                    'UTF8'
                )
            ) AS digest
        FROM coded
    )
"""  # noqa: S608 - made of a constant
HOST = f"""{CHOSEN}
    SELECT host FROM chosen WHERE host IS NOT NULL GROUP BY host ORDER BY count(*) DESC, host LIMIT 1
"""  # noqa: S608 - made of a constant
NEW_PAGES = f"""{CHOSEN}
    SELECT DISTINCT chosen.page_url, chosen.code, chosen.category_id, chosen.product_id
    FROM chosen LEFT JOIN page ON chosen.digest = page.digest
    WHERE page.id IS NULL AND (chosen.host IS NULL OR chosen.host <> $4)
"""  # noqa: S608 - made of a constant
LOWER_FIRST_PRODUCTS = f"""{CHOSEN}
    UPDATE address SET first_product_at = view.at
    FROM (
        SELECT address_id, min(occurred_at) AS at FROM chosen WHERE kind = 'product' GROUP BY address_id
    ) AS view
    WHERE
        address.id = view.address_id
        AND (address.first_product_at IS NULL OR address.first_product_at > view.at)
"""  # noqa: S608 - made of a constant
# Without what came in since pages were inserted and bounds lowered.
READ = f"""{CHOSEN}
    SELECT
        CAST(array_agg(line.place) AS text) AS places,
        array_send(array_agg(line.occurred_at)) AS occurred,
        array_send(array_agg(line.position)) AS position,
        array_send(array_agg(line.address_id)) AS address_id,
        array_send(array_agg(line.page_id)) AS page_id,
        array_send(array_agg(line.kind)) AS kind,
        array_send(array_agg(line.cart_id)) AS cart_id,
        array_send(array_agg(line.goods_id)) AS goods_id,
        array_send(array_agg(line.amount)) AS amount,
        array_send(array_agg(line.buyer_id)) AS user_id,
        array_send(array_agg(line.referrer_id)) AS referrer_id,
        array_send(array_agg(line.agent_id)) AS agent_id,
        array_send(array_agg(line.id)) AS request_id,
        array_send(array_agg(line.user_id)) AS visitor_id
    FROM (
        SELECT
            chosen.place,
            chosen.occurred_at,
            chosen.position,
            chosen.address_id,
            CASE WHEN chosen.host = $4 THEN 0 ELSE page.id END AS page_id,
            CAST(chosen.code AS "char") AS kind,
            chosen.cart_id,
            chosen.goods_id,
            chosen.amount,
            chosen.buyer_id,
            chosen.referrer_id,
            chosen.agent_id,
            CAST(chosen.request_id AS uuid) AS id,
            chosen.user_id
        FROM chosen LEFT JOIN page ON chosen.digest = page.digest
        WHERE
            (page.id IS NOT NULL OR chosen.host = $4)
            AND (chosen.kind <> 'product' OR chosen.first_product_at <= chosen.occurred_at)
        ORDER BY chosen.occurred_at, chosen.position, id
    ) AS line
"""  # noqa: S608 - made of a constant
INSERT_KEYS = """
    INSERT INTO merged_visit (id, occurred_at, user_id)
    SELECT CAST(request_id AS uuid), occurred_at, user_id
    FROM live_visit WHERE ctid = ANY(CAST(CAST($1 AS text) AS tid[]))
"""
DELETE = """
    WITH gone AS (DELETE FROM live_visit WHERE ctid = ANY(CAST(CAST($1 AS text) AS tid[])) RETURNING 1)
    SELECT count(*) FROM gone
"""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which live visits to merge: of the first `most` of a source before a moment."""

    source: str
    before: datetime
    most: int

    @property
    def parameters(self) -> tuple[str, datetime, int]:
        return self.source, self.before, self.most


@dataclass(frozen=True, slots=True)
class LivePart:
    """Live visits as a part, and the places of their rows."""

    part: Part
    places: str

    def __len__(self) -> int:
        return len(self.part)


async def insert_page_names(session: AsyncSession, choice: Choice) -> str:
    """Insert the pages of visits that are new. Return the host whose template pages need none."""
    raw = await raw_connection(session)
    host: str = await raw.fetchval(HOST, *choice.parameters) or ""
    rows = await raw.fetch(NEW_PAGES, *choice.parameters, host)
    await ensure_pages(session, [PageRow(*row) for row in rows])
    return host


async def lower_first_products(session: AsyncSession, choice: Choice) -> None:
    """Lower the bounds of addresses to their views of products. The caller holds the lock of parts."""
    raw = await raw_connection(session)
    await raw.execute(LOWER_FIRST_PRODUCTS, *choice.parameters)


async def select_part(session: AsyncSession, choice: Choice, host: str) -> LivePart | None:
    """Return visits as a part; None if there are none. The caller holds the lock of parts."""
    raw = await raw_connection(session)
    row = await raw.fetchrow(READ, *choice.parameters, host)
    if row is None or row["places"] is None:
        return None
    encoded = {name: row[name] for name in TYPES if name in row}
    columns = await run_in_thread(lambda: decode_visits(encoded))
    return LivePart(Part(0, host, columns, choice.source), row["places"])


def decode_visits(encoded: dict[str, bytes]) -> Columns:
    """Decode the arrays of visits, and give each a key: its place in the order of (time, id)."""
    columns: dict[str, Values] = {}
    for name, array in encoded.items():
        columns[name], valid = decode(array)
        if name in NO_VALUE and valid is not None:
            columns[name][~valid] = NO_VALUE[name]
    return columns | {"key": live_keys(columns["occurred"], columns["request_id"])}


def live_keys(occurred: Values, ids: Values) -> Values:
    """Return the place of each visit in the order of (time, id)."""
    high, low = np.ascontiguousarray(ids).view(">u8").reshape(-1, 2).T
    keys = np.empty(len(ids), np.int64)
    keys[np.lexsort((low, high, occurred))] = np.arange(len(ids))
    return keys


async def insert_live_part(session: AsyncSession, live: LivePart) -> None:
    """Insert the part and the ids of its visits. The caller holds the lock of parts."""
    raw = await raw_connection(session)
    await raw.execute(INSERT_KEYS, live.places)
    part_id, token = await next_part_id(session)
    fields = await run_in_thread(lambda: encode_part(live.part))
    await insert_part(session, part_id, token, fields)


async def delete_live_rows(session: AsyncSession, live: LivePart) -> int:
    """Delete the rows of the visits. Return how many there were. The caller is the only writer."""
    raw = await raw_connection(session)
    count: int = await raw.fetchval(DELETE, live.places)
    return count


async def delete_merged_visits(session: AsyncSession, ids: Ids) -> None:
    """Delete the ids of visits whose parts are deleted."""
    raw = await raw_connection(session)
    await raw.execute(
        "DELETE FROM merged_visit WHERE id = ANY(CAST($1 AS uuid[]))", list(map(uuid.UUID, id_texts(ids)))
    )
