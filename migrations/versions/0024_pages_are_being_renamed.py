"""pages are being renamed: how far the renaming of pages to their normal form has come

They are renamed between this migration and the next (migrations/page_names.py).
"""

from alembic import op

revision = "0024"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE page_renaming (
            step int NOT NULL,
            after_id int NOT NULL,
            after_at timestamptz,
            after_request text
        )
        """
    )
    op.execute("INSERT INTO page_renaming VALUES (0, 0, NULL, NULL)")
    for table in ("category_twin", "product_twin"):
        op.execute(f"CREATE TABLE {table} (old_id int CONSTRAINT pk_{table} PRIMARY KEY, new_id int NOT NULL)")


def downgrade() -> None:
    for table in ("product_twin", "category_twin", "page_renaming"):
        op.execute(f"DROP TABLE {table}")
