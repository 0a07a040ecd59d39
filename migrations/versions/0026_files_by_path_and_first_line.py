"""files by path and first line

A file is known by its path and its first line that fits. Positions stored before know the path alone: theirs
is the empty first line, and the first import that finds the file unchanged takes such a position over.
"""

from alembic import op
import sqlalchemy as sa

revision = "0026"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("import", sa.Column("first_line_sha256", sa.LargeBinary(), nullable=True))
    op.add_column(
        "file_position",
        sa.Column("first_line_sha256", sa.LargeBinary(), server_default=sa.text("''"), nullable=False),
    )
    op.add_column("file_position", sa.Column("followed_as", sa.Text(), nullable=True))
    op.add_column(
        "file_position",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.drop_constraint("pk_file_position", "file_position")
    op.create_primary_key("pk_file_position", "file_position", ["file", "first_line_sha256"])
    op.create_index(
        "ix_file_position_followed_as",
        "file_position",
        ["followed_as", sa.text("updated_at DESC")],
        postgresql_where=sa.text("followed_as IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_file_position_followed_as", "file_position")
    op.drop_constraint("pk_file_position", "file_position")
    # One position a path: the newest.
    op.execute(
        "DELETE FROM file_position AS older USING file_position AS newer "
        "WHERE older.file = newer.file "
        "AND (older.updated_at, older.first_line_sha256) < (newer.updated_at, newer.first_line_sha256)"
    )
    op.create_primary_key("pk_file_position", "file_position", ["file"])
    op.drop_column("file_position", "updated_at")
    op.drop_column("file_position", "followed_as")
    op.drop_column("file_position", "first_line_sha256")
    op.drop_column("import", "first_line_sha256")
