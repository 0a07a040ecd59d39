"""carts are found by their times in page ranges, and goods in carts by an index that has each goods once"""

from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

TIMES = "CREATE INDEX ix_cart_times ON cart USING brin (opened_at, changed_at) WITH (pages_per_range = 16, autosummarize = on)"


def upgrade() -> None:
    op.execute("DROP INDEX ix_cart_opened_at, ix_cart_changed_at, ix_cart_item_goods_id")
    op.execute(TIMES)
    op.execute("CREATE INDEX ix_cart_item_goods_id ON cart_item (goods_id)")


def downgrade() -> None:
    op.execute("DROP INDEX ix_cart_times, ix_cart_item_goods_id")
    op.execute("CREATE INDEX ix_cart_opened_at ON cart (opened_at)")
    op.execute("CREATE INDEX ix_cart_changed_at ON cart (changed_at)")
    op.execute("CREATE INDEX ix_cart_item_goods_id ON cart_item (goods_id, cart_id)")
