"""variants of masked addresses: one masked address may stand for visitors of several countries"""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE address ADD variant smallint NOT NULL DEFAULT 0")
    op.execute(
        """
        ALTER TABLE address
        DROP CONSTRAINT pk_address,
        ADD CONSTRAINT pk_address PRIMARY KEY (address, variant)
        """
    )
    op.execute("CREATE INDEX ix_address_variant ON address (variant) WHERE variant > 0")


def downgrade() -> None:
    op.execute(
        """
        UPDATE visit_part SET address_id = changed.ids, token = gen_random_uuid()
        FROM (
            SELECT part.id, array_agg(coalesce(main.id, line.address_id) ORDER BY line.ordinal) AS ids
            FROM visit_part AS part
            CROSS JOIN LATERAL unnest(part.address_id) WITH ORDINALITY AS line (address_id, ordinal)
            LEFT JOIN address AS own ON line.address_id = own.id AND own.variant > 0
            LEFT JOIN address AS main ON own.address = main.address AND main.variant = 0
            WHERE EXISTS (SELECT FROM address WHERE variant > 0)
            GROUP BY part.id
        ) AS changed
        WHERE visit_part.id = changed.id AND visit_part.address_id <> changed.ids
        """
    )
    op.execute("DELETE FROM address WHERE variant > 0")
    op.execute("DROP INDEX ix_address_variant")
    op.execute("ALTER TABLE address DROP CONSTRAINT pk_address, ADD CONSTRAINT pk_address PRIMARY KEY (address)")
    op.execute("ALTER TABLE address DROP variant")
