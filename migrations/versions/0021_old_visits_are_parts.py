"""old visits are parts: what is left of `old_visit` is moved, and the table dropped"""

from alembic import op

from migrations.old_visits import move_span

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

OLD_VISIT = (
    """
    CREATE TABLE old_visit (
        occurred_at timestamptz NOT NULL,
        request_id text COLLATE "C" NOT NULL,
        position bigint NOT NULL,
        source text NOT NULL,
        kind text NOT NULL,
        address inet,
        country text,
        category_id int,
        product_id int,
        user_id bigint,
        cart_id bigint,
        goods_id bigint,
        amount bigint,
        import_id bigint,
        page_url text NOT NULL,
        buyer_id bigint,
        CONSTRAINT pk_visit PRIMARY KEY (occurred_at, request_id)
    )
    """,
    # The digest of a longer key does not tell the key; `line_key` knows these.
    """
    INSERT INTO old_visit
    SELECT
        occurred_at,
        CASE
            WHEN encode(key, 'escape') ~ '^[A-Z0-9]{8}$' THEN encode(key, 'escape')
            ELSE '~' || encode(key, 'hex')
        END,
        position, source, kind, address, country, category_id, product_id, user_id, cart_id, goods_id, amount,
        nullif(import_id, 0), page_url, buyer_id
    FROM (
        SELECT
            visit.*,
            int8send(
                CAST(CAST('x' || substr(hex.id, 17) AS bit(64)) AS bigint) & 4611686018427387903
                | (CAST(CAST(CAST('x' || substr(hex.id, 16, 1) AS bit(4)) AS int) & 1 AS bigint) << 62)
            ) AS key
        FROM visit
        CROSS JOIN LATERAL (SELECT replace(CAST(visit.id AS text), '-', '') AS id) AS hex
        WHERE visit.source = 'log'
    ) AS line
    """,
    """
    UPDATE goods SET learned_key = old_visit.request_id
    FROM old_visit
    WHERE
        old_visit.occurred_at = goods.learned_at
        AND CAST(
            visit_id(CAST(extract(epoch FROM learned_at) * 1000000 AS bigint), line_key(old_visit.request_id)) AS text
        ) = goods.learned_key
    """,
    "CREATE INDEX ix_visit_learning ON old_visit (address, occurred_at, position) WHERE kind IN ('product', 'cart')",
    "CREATE INDEX ix_visit_unlocated ON old_visit (address) WHERE country IS NULL",
    "CREATE INDEX ix_visit_cart_id ON old_visit (cart_id) WHERE cart_id IS NOT NULL",
    "CREATE INDEX ix_visit_user_id ON old_visit (user_id, occurred_at, request_id) WHERE user_id IS NOT NULL",
    "CREATE UNIQUE INDEX uq_visit_live_id ON old_visit (request_id) WHERE source <> 'log'",
    "CREATE INDEX ix_visit_live_time ON old_visit (occurred_at, request_id) WHERE source <> 'log'",
    """
    CREATE INDEX ix_visit_values ON old_visit USING brin (
        page_url text_bloom_ops(n_distinct_per_range = '-0.5'),
        country text_bloom_ops(n_distinct_per_range = '100'),
        category_id int4_bloom_ops(n_distinct_per_range = '100')
    ) WITH (pages_per_range = 32)
    """,
    "ALTER TABLE old_visit SET (autovacuum_vacuum_insert_scale_factor = 0.02)",
)


def upgrade() -> None:
    while move_span(op.get_bind()):
        pass
    op.execute("DROP TABLE old_visit")


def downgrade() -> None:
    for statement in OLD_VISIT:
        op.execute(statement)
