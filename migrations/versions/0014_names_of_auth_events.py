"""names of auth events"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE auth_event SET type = 'key_ended' WHERE type = 'key_deleted'")


def downgrade() -> None:
    op.execute("UPDATE auth_event SET type = 'key_deleted' WHERE type = 'key_ended'")
