-- Infer :goods_ids from all stored visits, as inferred_goods does from new ones: product_id is null where no line has a
-- page before it. No other writer may run.
SELECT
    sought.goods_id,
    inferred.product_id,
    inferred.occurred_at AS learned_at,
    inferred.position AS learned_position,
    inferred.request_id AS learned_key,
    inferred.line_import_id,
    inferred.view_import_id,
    goods.product_id AS old_product_id
FROM unnest(CAST(:goods_ids AS bigint[])) AS sought (goods_id)
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
            CAST(visit.id AS text) AS request_id,
            visit.import_id
        FROM cart_item
        INNER JOIN visit ON cart_item.cart_id = visit.cart_id
        WHERE
            cart_item.goods_id = sought.goods_id
            AND visit.kind = 'cart'
            AND visit.goods_id = sought.goods_id
        ORDER BY visit.occurred_at, visit.position, visit.id
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
        ORDER BY visit.occurred_at DESC, visit.position DESC, visit.id DESC
        LIMIT 1
    ) AS viewed
    ORDER BY line.occurred_at, line.position, line.request_id
    LIMIT 1
) AS inferred ON true
LEFT JOIN goods ON sought.goods_id = goods.goods_id
ORDER BY sought.goods_id;
