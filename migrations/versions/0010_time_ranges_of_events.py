"""time ranges of events"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index(
        "ix_event_time_ranges",
        "event",
        ["occurred_at"],
        unique=False,
        postgresql_using="brin",
        postgresql_ops={"occurred_at": "timestamptz_minmax_multi_ops"},
    )
    # New rows are in that index from the next vacuum on.
    op.execute("ALTER TABLE event SET (autovacuum_vacuum_insert_scale_factor = 0.02)")


def downgrade() -> None:
    op.execute("ALTER TABLE event RESET (autovacuum_vacuum_insert_scale_factor)")
    op.drop_index("ix_event_time_ranges", table_name="event", postgresql_using="brin")
