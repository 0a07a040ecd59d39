-- The table of visits before they were stored in columns, and its indexes: what imports are measured beside.
CREATE TABLE reference_visit (
    occurred_at timestamptz NOT NULL,
    request_id text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    address inet,
    country text,
    category_id int,
    product_id int,
    user_id bigint,
    cart_id bigint,
    goods_id bigint,
    amount bigint,
    import_id bigint,
    page_url text NOT NULL,
    buyer_id bigint
);
-- indexes
CREATE UNIQUE INDEX ON reference_visit (occurred_at, request_id);
CREATE INDEX ON reference_visit (address, occurred_at, position) WHERE kind IN ('product', 'cart');
CREATE INDEX ON reference_visit (address) WHERE country IS NULL;
CREATE INDEX ON reference_visit (cart_id) WHERE cart_id IS NOT NULL;
CREATE INDEX ON reference_visit (user_id, occurred_at, request_id) WHERE user_id IS NOT NULL;
CREATE UNIQUE INDEX ON reference_visit (request_id) WHERE source <> 'log';
CREATE INDEX ON reference_visit USING brin (
    page_url text_bloom_ops(n_distinct_per_range = '-0.5'),
    country text_bloom_ops(n_distinct_per_range = '100'),
    category_id int4_bloom_ops(n_distinct_per_range = '100')
) WITH (pages_per_range = 32);
CREATE INDEX ON reference_visit (occurred_at, request_id) WHERE source <> 'log';
-- rows
SELECT
    occurred_at,
    upper(substr(md5(CAST(id AS text)), 1, 8)) AS request_id,
    position,
    source,
    kind,
    address,
    country,
    category_id,
    product_id,
    user_id,
    cart_id,
    goods_id,
    amount,
    import_id,
    page_url,
    buyer_id
FROM visit
ORDER BY occurred_at, position
