"""a file is known by its location too: one path with one first line may be two files, on two hosts"""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

KEY = ["file", "first_line_sha256"]


def upgrade() -> None:
    op.add_column("import", sa.Column("location", sa.Text(), nullable=True))
    op.add_column("file_position", sa.Column("location", sa.Text(), server_default="", nullable=False))
    op.drop_constraint("pk_file_position", "file_position")
    op.create_primary_key("pk_file_position", "file_position", [*KEY, "location"])


def downgrade() -> None:
    op.drop_constraint("pk_file_position", "file_position")
    # Of the locations of a file, the one that was read last.
    op.execute(
        "DELETE FROM file_position AS older USING file_position AS newer "
        "WHERE older.file = newer.file AND older.first_line_sha256 = newer.first_line_sha256 "
        "AND (older.updated_at, older.location) < (newer.updated_at, newer.location)"
    )
    op.create_primary_key("pk_file_position", "file_position", KEY)
    op.drop_column("file_position", "location")
    op.drop_column("import", "location")
