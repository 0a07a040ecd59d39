"""pages are renamed: the last of them, and what counts by categories and products that are one now"""

from alembic import op
import sqlalchemy as sa

from migrations.page_names import rename_span
from page_urls import normal_url

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MERGES = (
    "UPDATE goods SET product_id = twin.new_id FROM product_twin AS twin WHERE goods.product_id = twin.old_id",
    """
    INSERT INTO category_quarter AS total (category_id, quarter, kind, source, requests)
    SELECT twin.new_id, own.quarter, own.kind, own.source, sum(own.requests)
    FROM category_quarter AS own
    INNER JOIN category_twin AS twin ON own.category_id = twin.old_id
    GROUP BY twin.new_id, own.quarter, own.kind, own.source
    ON CONFLICT (category_id, quarter, kind, source) DO UPDATE SET requests = total.requests + excluded.requests
    """,
    "DELETE FROM category_quarter USING category_twin WHERE category_id = old_id",
    """
    INSERT INTO category_country_day AS total (category_id, day, country, kind, source, requests)
    SELECT twin.new_id, own.day, own.country, own.kind, own.source, sum(own.requests)
    FROM category_country_day AS own
    INNER JOIN category_twin AS twin ON own.category_id = twin.old_id
    GROUP BY twin.new_id, own.day, own.country, own.kind, own.source
    ON CONFLICT (category_id, day, country, kind, source) DO UPDATE SET requests = total.requests + excluded.requests
    """,
    "DELETE FROM category_country_day USING category_twin WHERE category_id = old_id",
)

# A cart that held two categories which are one now held it once: carts are counted anew.
PAIRS = (
    "DELETE FROM paid_category_day",
    "DELETE FROM paid_pair_day",
    """
    CREATE TEMPORARY TABLE cart_category ON COMMIT DROP AS
    SELECT DISTINCT
        payment.cart_id, date_bin('1 day', payment.paid_at, 'epoch') AS day, payment.source, product.category_id
    FROM payment
    INNER JOIN cart_item ON payment.cart_id = cart_item.cart_id
    INNER JOIN goods ON cart_item.goods_id = goods.goods_id
    INNER JOIN product ON goods.product_id = product.id
    """,
    """
    INSERT INTO paid_category_day (category_id, day, source, carts)
    SELECT category_id, day, source, count(*) FROM cart_category GROUP BY category_id, day, source
    """,
    """
    INSERT INTO paid_pair_day (category_id, day, source, other_id, carts)
    SELECT own.category_id, own.day, own.source, other.category_id, count(*)
    FROM cart_category AS own
    INNER JOIN cart_category AS other ON own.cart_id = other.cart_id AND own.category_id <> other.category_id
    GROUP BY own.category_id, own.day, own.source, other.category_id
    """,
)


def upgrade() -> None:
    connection = op.get_bind()
    while rename_span(connection):
        pass
    for statement in MERGES:
        op.execute(statement)
    if connection.scalar(sa.text("SELECT EXISTS (SELECT FROM category_twin)")):
        for statement in PAIRS:
            op.execute(statement)
    op.execute("DELETE FROM product USING product_twin WHERE id = old_id")
    op.execute("DELETE FROM category USING category_twin WHERE id = old_id")
    rename_hosts(connection)
    for table in ("product_twin", "category_twin", "page_renaming"):
        op.execute(f"DROP TABLE {table}")


def rename_hosts(connection: sa.Connection) -> None:
    """Rename the scheme and host in front of pages whose URLs are made of numbers."""
    for host in connection.scalars(sa.text("SELECT DISTINCT host FROM visit_part WHERE host <> ''")).all():
        normal = normal_url(f"{host}/").removesuffix("/")
        if normal != host:
            statement = sa.text("UPDATE visit_part SET host = :normal WHERE host = :host")
            connection.execute(statement, {"normal": normal, "host": host})


def downgrade() -> None:
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
