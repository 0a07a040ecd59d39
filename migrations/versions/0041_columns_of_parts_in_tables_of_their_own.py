"""columns of parts stand in tables of their own, which a cluster spreads over its nodes; parts say where they are"""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

# What is said of a part beside its columns.
FIELDS = {
    "event_part": {"first_at": "timestamptz", "last_at": "timestamptz", "events": "int"},
    "visit_part": {
        "import_id": "bigint",
        "source": "text DEFAULT 'log'",
        "first_at": "timestamptz",
        "last_at": "timestamptz",
        "visits": "int",
        "first_position": "bigint",
        "host": "text",
        "page_ids": "int[]",
        "cart_ids": "int8range",
    },
}
NULLABLE = ("cart_ids",)
INDEXES = {
    "ix_event_part_first_at": "event_part (first_at)",
    "ix_visit_part_last_at": "visit_part (last_at)",
    "ix_visit_part_import_id": "visit_part (import_id)",
    "ix_visit_part_page_ids": "visit_part USING gin (page_ids)",
}
DROPPED = """
    CREATE TABLE dropped_part (
        token uuid CONSTRAINT pk_dropped_part PRIMARY KEY,
        dropped_at timestamptz NOT NULL DEFAULT now()
    )
"""
NEXT_ID = "SELECT setval(pg_get_serial_sequence('{0}', 'id'), coalesce(max(id), 0) + 1, FALSE) FROM {0}"

VIEW = """
    CREATE VIEW visit AS
    SELECT
        line.occurred_at,
        coalesce(line.request_id, visit_id(CAST(extract(epoch FROM line.occurred_at) * 1000000 AS bigint), line.key)) AS id,
        coalesce(line.position, line.first_position + line.ordinal) AS position,
        line.source AS source,
        kind_name(line.kind) AS kind,
        address.address,
        address.country,
        page.category_id,
        page.product_id,
        CASE WHEN line.source = 'log' THEN line.user_id ELSE line.visitor_id END AS user_id,
        line.cart_id,
        line.goods_id,
        line.amount,
        nullif(line.import_id, 0) AS import_id,
        coalesce(
            page.url,
            template_url(line.host, line.kind, line.cart_id, line.goods_id, line.amount, line.user_id)
        ) AS page_url,
        CASE WHEN line.source <> 'log' THEN line.user_id END AS buyer_id,
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
            visit_part.source,
            unnest({columns}.request_id) AS request_id,
            unnest({columns}.visitor_id) AS visitor_id,
            generate_series(0, visit_part.visits - 1) AS ordinal,
            unnest({columns}.occurred) AS occurred_at,
            unnest({columns}.key) AS key,
            unnest({columns}.position) AS position,
            unnest({columns}.address_id) AS address_id,
            unnest({columns}.page_id) AS page_id,
            unnest({columns}.kind) AS kind,
            unnest({columns}.cart_id) AS cart_id,
            unnest({columns}.goods_id) AS goods_id,
            unnest({columns}.amount) AS amount,
            unnest({columns}.user_id) AS user_id,
            unnest({columns}.method) AS method,
            unnest({columns}.status) AS status,
            unnest({columns}.bytes) AS bytes,
            unnest({columns}.referrer_id) AS referrer_id,
            unnest({columns}.agent_id) AS agent_id
        FROM {tables}
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


def not_null(name: str) -> str:
    return "" if name in NULLABLE else "NOT NULL"


def split(table: str, fields: dict[str, str]) -> list[str]:
    """Return the statements that leave the arrays where they are, and copy the short fields beside them."""
    names = ", ".join(("id", "token", *fields))
    columns = ", ".join(f"{name} {type_name} {not_null(name)}" for name, type_name in fields.items())
    return [
        f"ALTER TABLE {table} RENAME TO {table}_columns",
        f"ALTER TABLE {table}_columns DROP CONSTRAINT pk_{table}, ALTER token DROP DEFAULT, ALTER id DROP IDENTITY",
        f"ALTER TABLE {table}_columns ADD CONSTRAINT pk_{table}_columns PRIMARY KEY (token)",
        f"CREATE TABLE {table} (id bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT pk_{table} PRIMARY KEY, "
        f"token uuid NOT NULL, {columns})",
        f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_columns ORDER BY id",
        NEXT_ID.format(table),
        f"ALTER TABLE {table}_columns {', '.join(f'DROP {name}' for name in ('id', *fields))}",
    ]


def join(table: str, fields: dict[str, str]) -> list[str]:
    """Return the statements that put the short fields beside the arrays again."""
    types = {"id": "bigint", **fields}
    return [
        f"ALTER TABLE {table}_columns {', '.join(f'ADD {name} {types[name]}' for name in types)}",
        f"UPDATE {table}_columns AS own SET {', '.join(f'{name} = part.{name}' for name in types)} "
        f"FROM {table} AS part WHERE part.token = own.token",
        f"DROP TABLE {table}",
        f"ALTER TABLE {table}_columns RENAME TO {table}",
        f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}_columns, ALTER token SET DEFAULT gen_random_uuid()",
        *(f"ALTER TABLE {table} ALTER {name} SET NOT NULL" for name in types if name not in NULLABLE),
        f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (id), ALTER id ADD GENERATED BY DEFAULT AS IDENTITY",
        NEXT_ID.format(table),
    ]


def upgrade() -> None:
    op.execute("DROP VIEW visit")
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    for table, fields in FIELDS.items():
        for statement in split(table, fields):
            op.execute(statement)
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {place}")
    op.execute(DROPPED)
    joined = "visit_part INNER JOIN visit_part_columns ON visit_part.token = visit_part_columns.token"
    op.execute(VIEW.format(columns="visit_part_columns", tables=joined))


def downgrade() -> None:
    op.execute("DROP VIEW visit")
    for table in FIELDS:
        op.execute(f"DELETE FROM {table}_columns WHERE token IN (SELECT token FROM dropped_part)")
    op.execute("DROP TABLE dropped_part")
    for table, fields in FIELDS.items():
        for statement in join(table, fields):
            op.execute(statement)
    for name, place in INDEXES.items():
        op.execute(f"CREATE INDEX {name} ON {place}")
    op.execute(VIEW.format(columns="visit_part", tables="visit_part"))
