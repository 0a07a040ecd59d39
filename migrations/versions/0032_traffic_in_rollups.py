"""traffic in roll-ups: people and bots are counted apart; what was counted before are people"""

from alembic import op

revision = "0032"
down_revision = "0030"
branch_labels = None
depends_on = None

KEYS = {
    "request_quarter": ("quarter", "source"),
    "category_quarter": ("category_id", "quarter", "kind", "source"),
    "country_day": ("day", "country", "source"),
    "category_country_day": ("category_id", "day", "country", "kind", "source"),
    "cart_day": ("day", "source", "is_paid"),
    "payment_day": ("day", "source"),
    "paid_category_day": ("category_id", "day", "source"),
    "paid_pair_day": ("category_id", "day", "source", "other_id"),
}


def change_key(table: str, key: tuple[str, ...]) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT pk_{table}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY ({', '.join(key)})")


def upgrade() -> None:
    for table, key in KEYS.items():
        op.execute(f"ALTER TABLE {table} ADD is_bot boolean NOT NULL DEFAULT FALSE")
        change_key(table, (*key, "is_bot"))
    op.execute("ALTER TABLE cart ADD is_bot boolean NOT NULL DEFAULT FALSE")
    op.execute("ALTER TABLE buyer ADD bot_log bigint NOT NULL DEFAULT 0, ADD bot_live bigint NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE buyer_count ADD traffic text NOT NULL DEFAULT 'all'")
    change_key("buyer_count", ("sources", "purchases", "traffic"))
    op.execute(
        "INSERT INTO buyer_count (sources, traffic, purchases, users) "
        "SELECT sources, 'human', purchases, users FROM buyer_count"
    )


def downgrade() -> None:
    op.execute("DELETE FROM buyer_count WHERE traffic <> 'all'")
    change_key("buyer_count", ("sources", "purchases"))
    op.execute("ALTER TABLE buyer_count DROP traffic")
    op.execute("UPDATE buyer SET log = log + bot_log, live = live + bot_live WHERE bot_log <> 0 OR bot_live <> 0")
    op.execute("ALTER TABLE buyer DROP bot_log, DROP bot_live")
    op.execute("ALTER TABLE cart DROP is_bot")
    for table, key in KEYS.items():
        count = "requests" if table in list(KEYS)[:4] else "carts"
        names = ", ".join((*key, count))
        op.execute(
            f"""
            WITH bots AS (DELETE FROM {table} WHERE is_bot RETURNING {names})
            INSERT INTO {table} AS total ({names}) SELECT {names} FROM bots
            ON CONFLICT ({", ".join(key)}, is_bot) DO UPDATE SET {count} = total.{count} + excluded.{count}
            """
        )
        change_key(table, key)
        op.execute(f"ALTER TABLE {table} DROP is_bot")
