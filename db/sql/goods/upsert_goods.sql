-- Store what was inferred of goods. No other transaction infers meanwhile.
INSERT INTO goods (
    goods_id, product_id, learned_at, learned_position, learned_key, line_import_id, view_import_id
)
SELECT *
FROM unnest(
    CAST(:goods_id AS bigint[]),
    CAST(:product_id AS int[]),
    CAST(:learned_at AS timestamptz[]),
    CAST(:learned_position AS bigint[]),
    CAST(:learned_key AS text[]),
    CAST(:line_import_id AS bigint[]),
    CAST(:view_import_id AS bigint[])
) AS new (goods_id, product_id, learned_at, learned_position, learned_key, line_import_id, view_import_id)
ORDER BY new.goods_id
ON CONFLICT (goods_id) DO UPDATE SET
    product_id = excluded.product_id,
    learned_at = excluded.learned_at,
    learned_position = excluded.learned_position,
    learned_key = excluded.learned_key,
    line_import_id = excluded.line_import_id,
    view_import_id = excluded.view_import_id;
