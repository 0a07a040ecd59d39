"""live visits"""

from alembic import op
import sqlalchemy as sa

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "page_visits",
        sa.Column("page_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("visits", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("page_sha256", name=op.f("pk_page_visits")),
    )
    op.add_column("visit", sa.Column("buyer_id", sa.BigInteger(), nullable=True))
    op.drop_index("ix_visit_user_id", table_name="visit", postgresql_where=sa.text("source <> 'log'"))
    op.create_index(
        "ix_visit_user_id",
        "visit",
        ["user_id", "occurred_at", "request_id"],
        unique=False,
        postgresql_where=sa.text("user_id IS NOT NULL"),
    )
    op.create_index(
        "uq_visit_live_id",
        "visit",
        ["request_id"],
        unique=True,
        postgresql_where=sa.text("source <> 'log'"),
    )
    op.create_index(
        "ix_visit_live_time",
        "visit",
        ["occurred_at", "request_id"],
        unique=False,
        postgresql_where=sa.text("source <> 'log'"),
    )
    op.create_index(
        "ix_visit_values",
        "visit",
        ["page_url", "country", "category_id"],
        unique=False,
        postgresql_using="brin",
        postgresql_ops={
            "page_url": "text_bloom_ops(n_distinct_per_range = -0.5)",
            "country": "text_bloom_ops(n_distinct_per_range = 100)",
            "category_id": "int4_bloom_ops(n_distinct_per_range = 100)",
        },
        postgresql_with={"pages_per_range": 32},
    )
    # New rows are in that index from the next vacuum on.
    op.execute("ALTER TABLE visit SET (autovacuum_vacuum_insert_scale_factor = 0.02)")


def downgrade() -> None:
    op.execute("ALTER TABLE visit RESET (autovacuum_vacuum_insert_scale_factor)")
    op.drop_index("ix_visit_values", table_name="visit", postgresql_using="brin")
    op.drop_index("ix_visit_live_time", table_name="visit", postgresql_where=sa.text("source <> 'log'"))
    op.drop_index("uq_visit_live_id", table_name="visit", postgresql_where=sa.text("source <> 'log'"))
    op.drop_index("ix_visit_user_id", table_name="visit", postgresql_where=sa.text("user_id IS NOT NULL"))
    op.create_index(
        "ix_visit_user_id",
        "visit",
        ["user_id", "occurred_at"],
        unique=False,
        postgresql_where=sa.text("source <> 'log'"),
    )
    op.drop_column("visit", "buyer_id")
    op.drop_table("page_visits")
