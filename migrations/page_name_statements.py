"""The statements by which pages of earlier builds are renamed (page_names.py)."""

# Texts that may differ from their normal form; what is written like most pages does not.
SUSPECT_NAME = "(strpos({0}, '%') > 0 OR strpos({0}, E'\\\\') > 0)"
SUSPECT_URL = (
    "({0} COLLATE \"C\" !~ '^(https?://[a-z0-9._-]+)?/[A-Za-z0-9._~!$&''()*+,;=@/?#-]*$' "
    "OR strpos({0}, '/.') > 0)"
)
ESTIMATE = """
    SELECT sum(greatest(reltuples, 0)) FROM pg_class
    WHERE oid = ANY(CAST(ARRAY['category', 'product', 'page', 'live_visit'] AS regclass[]))
"""
UPDATE_CURSOR = """
    UPDATE page_renaming SET step = :step, after_id = :id, after_at = :at, after_request = :request
"""
ID_SPAN_END = (
    "SELECT max(id), count(*) FROM (SELECT id FROM {} WHERE id > :after ORDER BY id LIMIT :rows) AS span"
)

CATEGORIES = """
    SELECT id, name FROM category WHERE id > :after AND id <= :last AND {suspect} ORDER BY id
"""
SAME_CATEGORIES = "SELECT id, name_sha256 FROM category WHERE name_sha256 = ANY(CAST(:digests AS bytea[]))"
RENAME_CATEGORIES = """
    UPDATE category SET name = new.name, name_sha256 = new.digest
    FROM unnest(CAST(:ids AS int[]), CAST(:names AS text[]), CAST(:digests AS bytea[]))
        AS new (id, name, digest)
    WHERE category.id = new.id
"""
PRODUCTS = """
    SELECT
        product.id, product.category_id, product.name,
        coalesce(twin.new_id, product.category_id) AS new_category
    FROM product LEFT JOIN category_twin AS twin ON product.category_id = twin.old_id
    WHERE product.id > :after AND product.id <= :last
        AND (twin.old_id IS NOT NULL OR {suspect})
    ORDER BY product.id
"""
SAME_PRODUCTS = """
    SELECT product.id, product.category_id, product.name_sha256
    FROM unnest(CAST(:categories AS int[]), CAST(:digests AS bytea[])) AS new (category_id, digest)
    INNER JOIN product ON new.category_id = product.category_id AND new.digest = product.name_sha256
"""
RENAME_PRODUCTS = """
    UPDATE product SET category_id = new.category_id, name = new.name, name_sha256 = new.digest
    FROM unnest(
        CAST(:ids AS int[]), CAST(:categories AS int[]), CAST(:names AS text[]), CAST(:digests AS bytea[])
    ) AS new (id, category_id, name, digest)
    WHERE product.id = new.id
"""
INSERT_TWINS = """
    INSERT INTO {} (old_id, new_id) SELECT * FROM unnest(CAST(:old AS int[]), CAST(:new AS int[]))
"""
TWINS = """
    LEFT JOIN category_twin ON {0}.category_id = category_twin.old_id
    LEFT JOIN product_twin ON {0}.product_id = product_twin.old_id
"""
NEW_IDS = """
    coalesce(category_twin.new_id, {0}.category_id) AS category_id,
    coalesce(product_twin.new_id, {0}.product_id) AS product_id
"""
HAS_TWIN = "category_twin.old_id IS NOT NULL OR product_twin.old_id IS NOT NULL"
PAGES = """
    SELECT page.id, page.url, CAST(page.kind AS text) AS kind, {new_ids}
    FROM page {twins}
    WHERE page.id > :after AND page.id <= :last AND ({has_twin} OR {suspect})
    ORDER BY page.id
"""
# A page that another one is now keeps its old digest, which nobody looks for any more.
RENAME_PAGES = """
    UPDATE page SET
        url = new.url, category_id = new.category_id, product_id = new.product_id,
        digest = coalesce(new.digest, page.digest)
    FROM unnest(
        CAST(:ids AS int[]), CAST(:urls AS text[]), CAST(:categories AS int[]), CAST(:products AS int[]),
        CAST(:digests AS bytea[])
    ) AS new (id, url, category_id, product_id, digest)
    WHERE page.id = new.id
"""
LIVE_SPAN_END = """
    SELECT occurred_at, request_id, count(*) OVER () AS rows FROM (
        SELECT occurred_at, request_id FROM live_visit
        WHERE
            (occurred_at, request_id)
            > (coalesce(CAST(:at AS timestamptz), '-infinity'), coalesce(:request, ''))
        ORDER BY occurred_at, request_id LIMIT :rows
    ) AS span
    ORDER BY occurred_at DESC, request_id DESC LIMIT 1
"""
LIVE_VISITS = """
    SELECT live_visit.occurred_at, live_visit.request_id, live_visit.page_url, {new_ids}
    FROM live_visit {twins}
    WHERE
        (live_visit.occurred_at, live_visit.request_id)
        > (coalesce(CAST(:at AS timestamptz), '-infinity'), coalesce(:request, ''))
        AND (live_visit.occurred_at, live_visit.request_id) <= (CAST(:last_at AS timestamptz), :last_request)
        AND ({has_twin} OR {suspect})
"""
RENAME_LIVE_VISITS = """
    UPDATE live_visit SET page_url = new.page_url, category_id = new.category_id, product_id = new.product_id
    FROM unnest(
        CAST(:times AS timestamptz[]), CAST(:requests AS text[]), CAST(:urls AS text[]),
        CAST(:categories AS int[]), CAST(:products AS int[])
    ) AS new (occurred_at, request_id, page_url, category_id, product_id)
    WHERE live_visit.occurred_at = new.occurred_at AND live_visit.request_id = new.request_id
"""
MOVE_PAGE_VISITS = """
    WITH moved AS (
        DELETE FROM page_visits USING unnest(CAST(:old AS bytea[]), CAST(:new AS bytea[])) AS page (old, new)
        WHERE page_visits.page_sha256 = page.old
        RETURNING page.new, page_visits.visits
    )

    INSERT INTO page_visits AS own (page_sha256, visits)
    SELECT new, sum(visits) FROM moved GROUP BY new
    ON CONFLICT (page_sha256) DO UPDATE SET visits = own.visits + excluded.visits
"""

CATEGORIES = CATEGORIES.format(suspect=SUSPECT_NAME.format("name"))
PRODUCTS = PRODUCTS.format(suspect=SUSPECT_NAME.format("product.name"))
PAGES, LIVE_VISITS = (
    statement.format(
        new_ids=NEW_IDS.format(table),
        twins=TWINS.format(table),
        has_twin=HAS_TWIN,
        suspect=SUSPECT_URL.format(url),
    )
    for statement, table, url in (
        (PAGES, "page", "page.url"),
        (LIVE_VISITS, "live_visit", "live_visit.page_url"),
    )
)
