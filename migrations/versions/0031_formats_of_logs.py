"""formats of logs: a file's is kept with how far it has been read"""

from alembic import op
import sqlalchemy as sa

revision = "0031"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("declared_format", sa.Text(), nullable=True))
    op.add_column("import", sa.Column("prior_format", sa.Text(), nullable=True))
    op.add_column("file_position", sa.Column("format", sa.Text(), nullable=True))
    op.execute(
        "UPDATE file_position SET format = import.format FROM import WHERE import.id = file_position.import_id"
    )
    op.execute("UPDATE import SET prior_format = format WHERE prior_offset > 0")


def downgrade() -> None:
    op.drop_column("file_position", "format")
    op.drop_column("import", "prior_format")
    op.drop_column("import", "declared_format")
