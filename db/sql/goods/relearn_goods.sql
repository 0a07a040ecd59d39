-- What all cart lines that there are teach of :goods_ids, as taught_goods tells of new ones: product_id is null where they
-- teach nothing. Nobody else may be writing.
SELECT
    asked.goods_id,
    taught.product_id,
    taught.occurred_at AS learned_at,
    taught.position AS learned_position,
    taught.request_id AS learned_key,
    taught.line_import_id,
    taught.view_import_id,
    known.product_id AS known_product_id
FROM unnest(CAST(:goods_ids AS bigint[])) AS asked (goods_id)
LEFT JOIN LATERAL (
    SELECT
        line.occurred_at,
        line.position,
        line.request_id,
        line.import_id AS line_import_id,
        viewed.product_id,
        viewed.import_id AS view_import_id
    FROM (
        SELECT
            visit.address,
            visit.occurred_at,
            visit.position,
            visit.request_id,
            visit.import_id
        FROM cart_item
        INNER JOIN visit ON cart_item.cart_id = visit.cart_id
        WHERE
            cart_item.goods_id = asked.goods_id
            AND visit.kind = 'cart'
            AND visit.goods_id = asked.goods_id
        ORDER BY visit.occurred_at, visit.position, visit.request_id
        OFFSET 0 -- keeps the order, so that the first line with a page before it ends the search
    ) AS line
    CROSS JOIN LATERAL (
        SELECT
            visit.product_id,
            visit.import_id
        FROM visit
        WHERE
            visit.kind = 'product'
            AND visit.address = line.address
            AND (visit.occurred_at, visit.position) < (line.occurred_at, line.position)
        ORDER BY visit.occurred_at DESC, visit.position DESC, visit.request_id DESC
        LIMIT 1
    ) AS viewed
    ORDER BY line.occurred_at, line.position, line.request_id
    LIMIT 1
) AS taught ON true
LEFT JOIN goods AS known ON asked.goods_id = known.goods_id
ORDER BY asked.goods_id;
