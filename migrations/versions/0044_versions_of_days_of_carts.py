"""a version of each day on which carts were opened or paid, by which reports know what they have read already"""

from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE purchase_day RENAME TO cart_day_version")
    op.execute("ALTER TABLE cart_day_version RENAME CONSTRAINT pk_purchase_day TO pk_cart_day_version")
    op.execute(
        """
        INSERT INTO cart_day_version (day, version)
        SELECT day, gen_random_uuid()
        FROM (
            SELECT date_bin('1 day', opened_at, 'epoch') AS day FROM cart
            UNION
            SELECT date_bin('1 day', paid_at, 'epoch') FROM payment
        ) AS each
        ON CONFLICT DO NOTHING
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE cart_day_version RENAME CONSTRAINT pk_cart_day_version TO pk_purchase_day")
    op.execute("ALTER TABLE cart_day_version RENAME TO purchase_day")
