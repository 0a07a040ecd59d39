"""parts keep times, keys and names in fewer bytes where they can, and compress columns that become much smaller

Parts that there are stay as they are: readers take both forms.
"""

from alembic import op
from sqlalchemy import text

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

NARROW = {
    "second_high": "smallint[]",
    "second_low": "smallint[]",
    "key_high": "smallint[]",
    "key_low": "int[]",
    "address_high": "smallint[]",
    "address_low": "smallint[]",
    "page_high": "smallint[]",
    "page_low": "smallint[]",
}
FORMS = {"occurred": "second", "key": "key", "address_id": "address", "page_id": "page"}  # what stands for what
COMPRESSED = ("cart_id", "goods_id", "amount")
PLAIN = ("second_low", "key_high", "key_low", "address_high", "address_low")  # which become hardly smaller

FUNCTIONS = (
    # Makes of 48 bits a key of 8 characters, the first of which counts most: each 6 bits are one, 0 is 0.
    """
    CREATE FUNCTION key_of_bits(bits bigint) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN 3472328296227680304  -- the key 00000000
        + (
            (bits & 63) | ((bits & 4032) << 2) | ((bits & 258048) << 4) | ((bits & 16515072) << 6)
            | ((bits & 1056964608) << 8) | ((bits & 67645734912) << 10)
            | ((bits & 4329327034368) << 12) | ((bits & 277076930199552) << 14)
        )
    """,
    # Is visit_id(second * 1000000, key_of_bits(bits)). PostgreSQL would not inline that, for it has its arguments
    # twice: selecting the ids of a million lines took three times as long.
    """
    CREATE FUNCTION short_visit_id(second int, bits bigint) RETURNS uuid
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CAST(
        lpad(to_hex((second * CAST(1000000 AS bigint)) >> 11), 12, '0') || '8'
        || lpad(to_hex((((second * CAST(1000000 AS bigint)) & 2047) << 1) | least(bits >> 46, 1)), 3, '0')
        || to_hex((key_of_bits(bits) & 4611686018427387903) | -9223372036854775808)
        AS uuid
    )
    """,
)
BITS = "((CAST({row}.key_high AS bigint) & 65535) << 32) | (CAST({row}.key_low AS bigint) & 4294967295)"
JOIN = "coalesce({name}_high, 0) * 65536 + ({name}_low & 65535)"  # of the two halves of a number
# A cluster changes no functions in a transaction that has changed shards side by side; to others it means nothing.
SEQUENTIALLY = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"
WIDEN = """
    UPDATE visit_part_columns SET {column} = (
        SELECT array_agg({value} ORDER BY each.place)
        FROM unnest({name}_high, {name}_low) WITH ORDINALITY AS each ({name}_high, {name}_low, place)
    )
    WHERE {name}_low IS NOT NULL
"""

VIEW = """
    CREATE VIEW visit AS
    SELECT
        {occurred} AS occurred_at,
        coalesce(line.request_id, {id}) AS id,
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
            unnest(visit_part_columns.request_id) AS request_id,
            unnest(visit_part_columns.visitor_id) AS visitor_id,
            generate_series(0, visit_part.visits - 1) AS ordinal,
            unnest(visit_part_columns.occurred) AS occurred_at,
            unnest(visit_part_columns.key) AS key,
            unnest(visit_part_columns.position) AS position,
            unnest(visit_part_columns.address_id) AS address_id,
            unnest(visit_part_columns.page_id) AS page_id,
            unnest(visit_part_columns.kind) AS kind,
            unnest(visit_part_columns.cart_id) AS cart_id,
            unnest(visit_part_columns.goods_id) AS goods_id,
            unnest(visit_part_columns.amount) AS amount,
            unnest(visit_part_columns.user_id) AS user_id,
            unnest(visit_part_columns.method) AS method,
            unnest(visit_part_columns.status) AS status,
            unnest(visit_part_columns.bytes) AS bytes,
            unnest(visit_part_columns.referrer_id) AS referrer_id,
            unnest(visit_part_columns.agent_id) AS agent_id{unnested}
        FROM visit_part INNER JOIN visit_part_columns ON visit_part.token = visit_part_columns.token
    ) AS line
    LEFT JOIN address ON {address_id} = address.id
    LEFT JOIN page ON {page_id} = page.id
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


def widened(row: str) -> dict[str, str]:
    """Return what narrow forms stand for, as expressions of a row."""
    return {
        "occurred": f"to_timestamp({JOIN.format(name=f'{row}.second')})",
        "key": f"key_of_bits({BITS.format(row=row)})",
        "address_id": JOIN.format(name=f"{row}.address"),
        "page_id": JOIN.format(name=f"{row}.page"),
    }


OWN = {"occurred": "occurred_at", "address_id": "address_id", "page_id": "page_id"}
OLD = {
    **{name: f"line.{own}" for name, own in OWN.items()},
    "id": "visit_id(CAST(extract(epoch FROM line.occurred_at) * 1000000 AS bigint), line.key)",
    "unnested": "",
}
NEW = {
    **{name: f"coalesce(line.{own}, {widened('line')[name]})" for name, own in OWN.items()},
    # A part with narrow keys has narrow times.
    "id": f"""CASE
            WHEN line.key IS NULL THEN short_visit_id({JOIN.format(name="line.second")}, {BITS.format(row="line")})
            ELSE visit_id(
                coalesce(
                    CAST(extract(epoch FROM line.occurred_at) * 1000000 AS bigint),
                    CAST({JOIN.format(name="line.second")} AS bigint) * 1000000
                ),
                line.key
            )
        END""",
    "unnested": "".join(f",\n            unnest(visit_part_columns.{name}) AS {name}" for name in NARROW),
}


def alter(changes: list[str]) -> None:
    op.execute(f"ALTER TABLE visit_part_columns {', '.join(changes)}")


def is_spread() -> bool:
    """Return whether the table is spread over a cluster, which refuses to change how its columns are kept."""
    bind = op.get_bind()
    if not bind.scalar(text("SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus')")):
        return False
    query = "SELECT EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = to_regclass('visit_part_columns'))"
    return bool(bind.scalar(text(query)))


def set_storage(storage: str, names: tuple[str, ...]) -> None:
    if not is_spread():
        alter([f"ALTER {name} SET STORAGE {storage}" for name in names])


def upgrade() -> None:
    op.execute(SEQUENTIALLY)
    op.execute("DROP VIEW visit")
    alter([f"ADD {name} {type_name}" for name, type_name in NARROW.items()])
    alter([f"ALTER {name} DROP NOT NULL" for name in FORMS])
    set_storage("EXTENDED", COMPRESSED)
    set_storage("EXTERNAL", PLAIN)
    for statement in FUNCTIONS:
        op.execute(statement)
    op.execute(VIEW.format(**NEW))


def downgrade() -> None:
    op.execute(SEQUENTIALLY)
    op.execute("DROP VIEW visit")
    for column, value in widened("each").items():
        op.execute(WIDEN.format(column=column, name=FORMS[column], value=value))
    op.execute("DROP FUNCTION short_visit_id")
    op.execute("DROP FUNCTION key_of_bits")
    alter([f"ALTER {name} SET NOT NULL" for name in FORMS])
    alter([f"DROP {name}" for name in NARROW])
    set_storage("EXTERNAL", COMPRESSED)
    op.execute(VIEW.format(**OLD))
