"""events"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "event",
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("event_type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("properties", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_event")),
    )
    op.create_index("ix_event_occurred_at", "event", ["occurred_at", "event_id"], unique=False)
    op.create_index("ix_event_user_id", "event", ["user_id", "occurred_at", "event_id"], unique=False)
    op.create_index("ix_event_event_type", "event", ["event_type", "occurred_at", "event_id"], unique=False)
    op.create_index(
        "ix_event_properties",
        "event",
        ["properties"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"properties": "jsonb_path_ops"},
    )


def downgrade() -> None:
    op.drop_table("event")
