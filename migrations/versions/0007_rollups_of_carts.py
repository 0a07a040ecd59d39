"""roll-ups of carts"""

from alembic import op
import sqlalchemy as sa

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

DAY = sa.DateTime(timezone=True)
TABLES = {
    "cart_day": ({"day": DAY, "source": sa.Text(), "is_paid": sa.Boolean()}, {"carts"}),
    "payment_day": ({"day": DAY, "source": sa.Text()}, {"carts"}),
    "paid_category_day": ({"category_id": sa.Integer(), "day": DAY, "source": sa.Text()}, {"carts"}),
    "paid_pair_day": (
        {"category_id": sa.Integer(), "day": DAY, "source": sa.Text(), "other_id": sa.Integer()},
        {"carts"},
    ),
    "buyer": ({"user_id": sa.BigInteger()}, {"log", "live"}),
    "buyer_count": ({"sources": sa.Text(), "purchases": sa.BigInteger()}, {"users"}),
}
# What the carts known already count for.
FILL = (
    """
    INSERT INTO cart_day
    SELECT date_bin('1 day', cart.opened_at, 'epoch'), cart.source, payment.cart_id IS NOT NULL, count(*)
    FROM cart LEFT JOIN payment ON cart.id = payment.cart_id
    GROUP BY 1, 2, 3
    """,
    """
    INSERT INTO payment_day
    SELECT date_bin('1 day', payment.paid_at, 'epoch'), payment.source, count(*) FROM payment GROUP BY 1, 2
    """,
    """
    CREATE TEMPORARY TABLE held ON COMMIT DROP AS
    SELECT DISTINCT
        payment.cart_id, date_bin('1 day', payment.paid_at, 'epoch') AS day, payment.source, product.category_id
    FROM payment
    INNER JOIN cart_item ON payment.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
    """,
    "INSERT INTO paid_category_day SELECT category_id, day, source, count(*) FROM held GROUP BY 1, 2, 3",
    """
    INSERT INTO paid_pair_day
    SELECT held.category_id, held.day, held.source, other.category_id, count(*)
    FROM held
    INNER JOIN held AS other ON held.cart_id = other.cart_id AND held.category_id <> other.category_id
    GROUP BY 1, 2, 3, 4
    """,
    """
    INSERT INTO buyer
    SELECT
        cart.user_id,
        count(*) FILTER (WHERE payment.source = 'log'),
        count(*) FILTER (WHERE payment.source <> 'log')
    FROM payment INNER JOIN cart ON payment.cart_id = cart.id
    WHERE cart.user_id IS NOT NULL
    GROUP BY 1
    """,
    """
    INSERT INTO buyer_count
    SELECT bought.sources, bought.purchases, count(*)
    FROM buyer
    CROSS JOIN LATERAL (VALUES ('all', log + live), ('log', log), ('api', live)) AS bought (sources, purchases)
    WHERE bought.purchases > 0
    GROUP BY 1, 2
    """,
)


def upgrade() -> None:
    for name, (key, counts) in TABLES.items():
        op.create_table(
            name,
            *(sa.Column(column, kind, nullable=False) for column, kind in key.items()),
            *(sa.Column(column, sa.BigInteger(), nullable=False) for column in sorted(counts, reverse=True)),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
        )
    op.create_index("ix_cart_changed_at", "cart", ["changed_at"], unique=False)
    for statement in FILL:
        op.execute(statement)


def downgrade() -> None:
    op.drop_index("ix_cart_changed_at", table_name="cart")
    for name in reversed(TABLES):
        op.drop_table(name)
