"""actors of auth events"""

from alembic import op
import sqlalchemy as sa

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("auth_event", sa.Column("actor_id", sa.BigInteger(), nullable=True))
    op.add_column("auth_event", sa.Column("actor", sa.Text(), nullable=True))
    op.add_column("auth_event", sa.Column("actor_key", sa.Text(), nullable=True))
    op.create_index("ix_auth_event_actor_key", "auth_event", ["actor_key", "at", "id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_auth_event_actor_key", table_name="auth_event")
    op.drop_column("auth_event", "actor_key")
    op.drop_column("auth_event", "actor")
    op.drop_column("auth_event", "actor_id")
