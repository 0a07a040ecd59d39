"""tasks"""

from alembic import op
import sqlalchemy as sa

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PRIORITY_RANK = "array_position(ARRAY['low'::text, 'normal'::text, 'high'::text], priority)"


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("title_key", sa.Text(collation="C"), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="todo", nullable=False),
        sa.Column("priority", sa.Text(), server_default="normal", nullable=False),
        sa.Column("priority_rank", sa.Integer(), sa.Computed(PRIORITY_RANK, persisted=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('todo', 'in_progress', 'done')", name=op.f("ck_task_status")),
        sa.CheckConstraint("priority IN ('low', 'normal', 'high')", name=op.f("ck_task_priority")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_task_account_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index("ix_task_created_at", "task", ["account_id", "created_at", "id"])
    op.create_index("ix_task_updated_at", "task", ["account_id", "updated_at", "id"])
    op.create_index(
        "ix_task_due_at", "task", ["account_id", sa.text("COALESCE(due_at, 'infinity'::timestamptz)"), "id"]
    )
    op.create_index(
        "ix_task_due_at_desc",
        "task",
        ["account_id", sa.text("COALESCE(due_at, '-infinity'::timestamptz)"), "id"],
    )
    op.create_index("ix_task_priority", "task", ["account_id", "priority_rank", "id"])
    op.create_index("ix_task_title", "task", ["account_id", "title_key", "id"])


def downgrade() -> None:
    op.drop_table("task")
