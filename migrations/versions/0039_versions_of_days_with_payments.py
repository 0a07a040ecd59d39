"""a version of each day with payments, by which reports know what they have counted already"""

from alembic import op

revision = "0039"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE purchase_day (day timestamptz NOT NULL, version uuid NOT NULL, "
        "CONSTRAINT pk_purchase_day PRIMARY KEY (day))"
    )
    op.execute(
        """
        INSERT INTO purchase_day (day, version)
        SELECT day, gen_random_uuid()
        FROM (SELECT DISTINCT date_bin('1 day', paid_at, 'epoch') AS day FROM payment) AS paid
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE purchase_day")
