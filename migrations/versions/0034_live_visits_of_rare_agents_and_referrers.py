"""the page ranges of live visits that have a rare agent or referrer, for lists"""

from alembic import op

revision = "0034"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE INDEX ix_live_visit_origins ON live_visit USING brin (
            agent_id int4_bloom_ops(n_distinct_per_range = 200),
            referrer_id int4_bloom_ops(n_distinct_per_range = 500)
        ) WITH (pages_per_range = 32)
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_live_visit_origins")
