"""The seven reports in DuckDB: its tables, and a query for each report, whose first column is the answer."""

TABLES = {
    "visit": (
        """
        SELECT occurred_at, source, kind, country, category.name
        FROM visit LEFT JOIN category ON category.id = visit.category_id""",
        """{
            'occurred_at': 'TIMESTAMPTZ', 'source': 'VARCHAR', 'kind': 'VARCHAR', 'country': 'VARCHAR',
            'category': 'VARCHAR'
        }""",
    ),
    "cart": (
        "SELECT id, source, user_id FROM cart",
        "{'id': 'BIGINT', 'source': 'VARCHAR', 'user_id': 'BIGINT'}",
    ),
    "payment": (
        "SELECT cart_id, paid_at, source FROM payment",
        "{'cart_id': 'BIGINT', 'paid_at': 'TIMESTAMPTZ', 'source': 'VARCHAR'}",
    ),
    "cart_item": ("SELECT cart_id, goods_id FROM cart_item", "{'cart_id': 'BIGINT', 'goods_id': 'BIGINT'}"),
    "goods": (
        """
        SELECT goods_id, category.name
        FROM goods JOIN product ON product.id = product_id JOIN category ON category.id = category_id""",
        "{'goods_id': 'BIGINT', 'category': 'VARCHAR'}",
    ),
}
QUERIES = {
    1: """
        SELECT country, count(*) AS requests FROM visit WHERE country IS NOT NULL
        GROUP BY country ORDER BY requests DESC, country""",
    2: """
        SELECT country, count(*) AS requests FROM visit
        WHERE country IS NOT NULL AND category = 'fresh_fish' AND kind IN ('category', 'product')
        GROUP BY country ORDER BY requests DESC, country""",
    3: """
        SELECT ['night', 'morning', 'day', 'evening'][hour(occurred_at) // 6 + 1] AS part, count(*) AS views
        FROM visit WHERE category = 'frozen_fish' AND kind = 'category'
        GROUP BY part ORDER BY views DESC, part""",
    4: """
        SELECT requests, epoch(hour) FROM (
            SELECT count(*) AS requests, date_trunc('hour', occurred_at) AS hour FROM visit
            GROUP BY hour ORDER BY requests DESC, hour LIMIT 10
        )""",
    5: """
        WITH cart_category AS (
            SELECT DISTINCT cart_id, category
            FROM payment JOIN cart_item USING (cart_id) JOIN goods USING (goods_id)
        )
        SELECT other.category, count(*) AS carts,
            (SELECT count(*) FROM payment) AS paid,
            (SELECT count(*) FROM cart_category WHERE category = other.category) AS carts_of_other
        FROM cart_category JOIN cart_category AS other USING (cart_id)
        WHERE cart_category.category = 'semi_manufactures' AND other.category <> cart_category.category
        GROUP BY other.category ORDER BY carts DESC, other.category""",
    6: """
        SELECT count(*) FILTER (WHERE payment.cart_id IS NULL), count(*), count(payment.cart_id)
        FROM cart LEFT JOIN payment ON cart.id = payment.cart_id""",
    7: """
        SELECT CAST(sum(users) FILTER (WHERE purchases > 1) AS BIGINT), list(users ORDER BY purchases) FROM (
            SELECT purchases, count(*) AS users FROM (
                SELECT count(*) AS purchases FROM payment JOIN cart ON cart.id = cart_id
                WHERE user_id IS NOT NULL GROUP BY user_id
            ) GROUP BY purchases
        )""",
}
