"""retention, and countries that become known later"""

from alembic import op
import sqlalchemy as sa

revision = "0009"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "unfinished_retention",
        sa.Column("before", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("before", name=op.f("pk_unfinished_retention")),
    )
    op.add_column("address", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_address_unasked",
        "address",
        ["address"],
        unique=False,
        postgresql_where=sa.text("country IS NULL AND asked_at IS NULL"),
    )
    op.create_index(
        "ix_visit_unlocated", "visit", ["address"], unique=False, postgresql_where=sa.text("country IS NULL")
    )


def downgrade() -> None:
    op.drop_index("ix_visit_unlocated", table_name="visit")
    op.drop_index("ix_address_unasked", table_name="address")
    op.drop_column("address", "asked_at")
    op.drop_table("unfinished_retention")
