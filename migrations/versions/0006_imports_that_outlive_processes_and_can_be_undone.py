"""imports that outlive processes and can be undone"""

from alembic import op
import sqlalchemy as sa

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# What goods are learned from: each one's first cart line before which its address viewed a product.
LEARN = """
    INSERT INTO goods (
        goods_id, product_id, learned_at, learned_position, learned_key, line_import_id, view_import_id
    )
    SELECT DISTINCT ON (line.goods_id)
        line.goods_id, viewed.product_id, line.occurred_at, line.position, line.request_id,
        line.import_id, viewed.import_id
    FROM visit AS line
    CROSS JOIN LATERAL (
        SELECT visit.product_id, visit.import_id
        FROM visit
        WHERE
            visit.kind = 'product'
            AND visit.address = line.address
            AND (visit.occurred_at, visit.position) < (line.occurred_at, line.position)
        ORDER BY visit.occurred_at DESC, visit.position DESC, visit.request_id DESC
        LIMIT 1
    ) AS viewed
    WHERE line.kind = 'cart'
    ORDER BY line.goods_id, line.occurred_at, line.position, line.request_id
"""


def upgrade() -> None:
    for column in (
        sa.Column("format", sa.Text(), nullable=True),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("resumable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undo_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("prior_offset", sa.BigInteger(), nullable=True),
        sa.Column("prior_line", sa.BigInteger(), nullable=True),
        sa.Column("prior_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("prior_import_id", sa.BigInteger(), nullable=True),
    ):
        op.add_column("import", column)
    op.create_index(
        "ix_import_unfinished",
        "import",
        ["id"],
        unique=False,
        postgresql_where=sa.text("status = 'running' OR (undo_at IS NOT NULL AND status <> 'undone')"),
    )
    # Where the visits of older imports lie is not known: anywhere.
    op.execute("UPDATE import SET first_at = 'epoch', last_at = '9999-01-01Z' WHERE imported > 0")
    op.add_column("file_position", sa.Column("import_id", sa.BigInteger(), nullable=True))
    op.drop_index("ix_visit_product_view", table_name="visit", postgresql_where=sa.text("kind = 'product'"))
    op.create_index(
        "ix_visit_learning",
        "visit",
        ["address", "occurred_at", "position"],
        unique=False,
        postgresql_where=sa.text("kind IN ('product', 'cart')"),
    )
    op.create_index(
        "ix_visit_cart_id",
        "visit",
        ["cart_id"],
        unique=False,
        postgresql_where=sa.text("cart_id IS NOT NULL"),
    )
    op.execute("DELETE FROM goods")
    for column in (
        sa.Column("learned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("learned_position", sa.BigInteger(), nullable=False),
        sa.Column("learned_key", sa.Text(collation="C"), nullable=False),
        sa.Column("line_import_id", sa.BigInteger(), nullable=True),
        sa.Column("view_import_id", sa.BigInteger(), nullable=True),
    ):
        op.add_column("goods", column)
    op.execute(LEARN)


def downgrade() -> None:
    for name in ("learned_at", "learned_position", "learned_key", "line_import_id", "view_import_id"):
        op.drop_column("goods", name)
    op.drop_index("ix_visit_cart_id", table_name="visit")
    op.drop_index("ix_visit_learning", table_name="visit")
    op.create_index(
        "ix_visit_product_view",
        "visit",
        ["address", "occurred_at", "position"],
        unique=False,
        postgresql_where=sa.text("kind = 'product'"),
    )
    op.drop_column("file_position", "import_id")
    op.drop_index("ix_import_unfinished", table_name="import")
    for name in (
        "format",
        "owner",
        "heartbeat_at",
        "resumable",
        "first_at",
        "last_at",
        "undo_at",
        "prior_offset",
        "prior_line",
        "prior_sha256",
        "prior_import_id",
    ):
        op.drop_column("import", name)
