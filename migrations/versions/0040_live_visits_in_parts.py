"""live visits in parts: their ids, visitors and sources, and the table that finds them by id"""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

PARTS = (
    """
    ALTER TABLE visit_part
    ADD source text NOT NULL DEFAULT 'log',
    ADD request_id uuid[],
    ADD visitor_id bigint[]
    """,
    *(f"ALTER TABLE visit_part ALTER {name} SET STORAGE EXTERNAL" for name in ("request_id", "visitor_id")),
    """
    CREATE TABLE merged_visit (
        id uuid CONSTRAINT pk_merged_visit PRIMARY KEY,
        occurred_at timestamptz NOT NULL,
        user_id bigint
    )
    """,
    """
    CREATE INDEX ix_merged_visit_user_id ON merged_visit (user_id, occurred_at) WHERE user_id IS NOT NULL
    """,
    # Volatile, so that it sees what was committed while the statement that calls it waited for a lock.
    """
    CREATE FUNCTION is_merged(visit_id uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE
    AS $$ BEGIN RETURN EXISTS (SELECT FROM merged_visit WHERE id = visit_id); END $$
    """,
    """
    CREATE FUNCTION merged_among(visit_ids uuid[]) RETURNS SETOF uuid
    LANGUAGE plpgsql VOLATILE
    AS $$ BEGIN RETURN QUERY SELECT id FROM merged_visit WHERE id = ANY(visit_ids); END $$
    """,
)

VIEW = """
    CREATE VIEW visit AS
    SELECT
        line.occurred_at,
        {id} AS id,
        coalesce(line.position, line.first_position + line.ordinal) AS position,
        {source} AS source,
        kind_name(line.kind) AS kind,
        address.address,
        address.country,
        page.category_id,
        page.product_id,
        {user_id} AS user_id,
        line.cart_id,
        line.goods_id,
        line.amount,
        {import_id} AS import_id,
        coalesce(
            page.url,
            template_url(line.host, line.kind, line.cart_id, line.goods_id, line.amount, line.user_id)
        ) AS page_url,
        {buyer_id} AS buyer_id,
        line.part_id,
        method_name(line.method) AS method,
        line.status,
        line.bytes,
        referrer.url AS referrer,
        agent.agent,
        agent.browser,
        agent.os,
        agent.device,
        CASE WHEN agent.is_bot THEN 'bot' ELSE 'human' END AS traffic
    FROM (
        SELECT
            visit_part.id AS part_id,
            visit_part.import_id,
            visit_part.first_position,
            visit_part.host,
            {more}
            generate_series(0, visit_part.visits - 1) AS ordinal,
            unnest(visit_part.occurred) AS occurred_at,
            unnest(visit_part.key) AS key,
            unnest(visit_part.position) AS position,
            unnest(visit_part.address_id) AS address_id,
            unnest(visit_part.page_id) AS page_id,
            unnest(visit_part.kind) AS kind,
            unnest(visit_part.cart_id) AS cart_id,
            unnest(visit_part.goods_id) AS goods_id,
            unnest(visit_part.amount) AS amount,
            unnest(visit_part.user_id) AS user_id,
            unnest(visit_part.method) AS method,
            unnest(visit_part.status) AS status,
            unnest(visit_part.bytes) AS bytes,
            unnest(visit_part.referrer_id) AS referrer_id,
            unnest(visit_part.agent_id) AS agent_id
        FROM visit_part
    ) AS line
    LEFT JOIN address ON line.address_id = address.id
    LEFT JOIN page ON line.page_id = page.id
    LEFT JOIN referrer ON line.referrer_id = referrer.id
    LEFT JOIN agent ON line.agent_id = agent.id
    UNION ALL
    SELECT
        live_visit.occurred_at,
        CAST(live_visit.request_id AS uuid),
        live_visit.position,
        live_visit.source,
        live_visit.kind,
        live_visit.address,
        live_visit.country,
        live_visit.category_id,
        live_visit.product_id,
        live_visit.user_id,
        live_visit.cart_id,
        live_visit.goods_id,
        live_visit.amount,
        CAST(NULL AS bigint),
        live_visit.page_url,
        live_visit.buyer_id,
        CAST(NULL AS bigint),
        CAST(NULL AS text),
        CAST(NULL AS smallint),
        CAST(NULL AS bigint),
        referrer.url,
        agent.agent,
        agent.browser,
        agent.os,
        agent.device,
        CASE WHEN live_visit.is_bot THEN 'bot' ELSE 'human' END
    FROM live_visit
    LEFT JOIN referrer ON live_visit.referrer_id = referrer.id
    LEFT JOIN agent ON live_visit.agent_id = agent.id
"""
LINE_ID = "visit_id(CAST(extract(epoch FROM line.occurred_at) * 1000000 AS bigint), line.key)"
NEW = {
    "id": f"coalesce(line.request_id, {LINE_ID})",
    "source": "line.source",
    "user_id": "CASE WHEN line.source = 'log' THEN line.user_id ELSE line.visitor_id END",
    "import_id": "nullif(line.import_id, 0)",
    "buyer_id": "CASE WHEN line.source <> 'log' THEN line.user_id END",
    "more": """visit_part.source,
            unnest(visit_part.request_id) AS request_id,
            unnest(visit_part.visitor_id) AS visitor_id,""",
}
OLD = {
    "id": LINE_ID,
    "source": "'log'",
    "user_id": "line.user_id",
    "import_id": "line.import_id",
    "buyer_id": "CAST(NULL AS bigint)",
    "more": "",
}
# What live visits were before they were merged.
UNMERGE = """
    INSERT INTO live_visit (
        occurred_at, request_id, position, source, kind, address, country, category_id, product_id, user_id,
        cart_id, goods_id, amount, page_url, buyer_id, referrer_id, agent_id, is_bot
    )
    SELECT
        visit.occurred_at, CAST(visit.id AS text), visit.position, visit.source, visit.kind, visit.address,
        visit.country, visit.category_id, visit.product_id, visit.user_id, visit.cart_id, visit.goods_id,
        visit.amount, visit.page_url, visit.buyer_id, referrer.id, agent.id, visit.traffic = 'bot'
    FROM visit
    LEFT JOIN referrer ON sha256(convert_to(visit.referrer, 'UTF8')) = referrer.digest
    LEFT JOIN agent ON sha256(convert_to(visit.agent, 'UTF8')) = agent.digest
    WHERE visit.part_id IN (SELECT id FROM visit_part WHERE source <> 'log')
"""


def upgrade() -> None:
    for statement in (*PARTS, "DROP VIEW visit", VIEW.format(**NEW)):
        op.execute(statement)


def downgrade() -> None:
    for statement in (
        UNMERGE,
        "DELETE FROM visit_part WHERE source <> 'log'",
        "DROP VIEW visit",
        VIEW.format(**OLD),
        "DROP FUNCTION merged_among",
        "DROP FUNCTION is_merged",
        "DROP TABLE merged_visit",
        "ALTER TABLE visit_part DROP source, DROP request_id, DROP visitor_id",
    ):
        op.execute(statement)
