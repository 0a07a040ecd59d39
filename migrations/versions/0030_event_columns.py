"""events have columns: what statistics count"""

from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0030"
down_revision = "0025"
branch_labels = None
depends_on = None

ARRAYS = {"event_batch": ("occurred", "user_id"), "event_part": ("occurred", "user_index", "users", "type_index")}


def upgrade() -> None:
    op.create_table(
        "event_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("occurred", ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("user_id", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("event_type", ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_batch")),
    )
    op.create_table(
        "event_part",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("token", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("events", sa.Integer(), nullable=False),
        sa.Column("occurred", ARRAY(sa.DateTime(timezone=True)), nullable=False),
        sa.Column("user_index", ARRAY(sa.Integer()), nullable=False),
        sa.Column("users", ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("type_index", ARRAY(sa.Integer()), nullable=False),
        sa.Column("types", ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_part")),
    )
    op.create_index("ix_event_part_first_at", "event_part", ["first_at"])
    # Compressing columns costs more than writing them.
    for table, names in ARRAYS.items():
        for name in names:
            op.execute(f"ALTER TABLE {table} ALTER {name} SET STORAGE EXTERNAL")
    op.execute(
        """
        INSERT INTO event_batch (first_at, events, occurred, user_id, event_type)
        SELECT
            min(occurred_at), count(*), array_agg(occurred_at), array_agg(user_id), array_agg(event_type)
        FROM (
            SELECT
                occurred_at, user_id, event_type,
                (row_number() OVER (ORDER BY occurred_at) - 1) / 50000 AS number
            FROM event
        ) AS stored
        GROUP BY number
        ORDER BY number
        """
    )


def downgrade() -> None:
    op.drop_table("event_part")
    op.drop_table("event_batch")
