-- Insert :addresses that are new, with their countries and first views of products, and return their places in the array
-- and their ids. One that somebody else inserts meanwhile is left out.
WITH new AS MATERIALIZED (
    SELECT *
    FROM unnest(
        CAST(CAST(:addresses AS text) AS inet[]),
        CAST(CAST(:countries AS text) AS text[]),
        CAST(CAST(:first_products AS text) AS bigint[])
    ) WITH ORDINALITY AS new (address, country, first_product, n)
),

inserted AS (
    INSERT INTO address (address, country, first_product_at)
    SELECT
        new.address,
        new.country,
        CAST('epoch' AS timestamptz) + new.first_product * INTERVAL '1 microsecond'
    FROM new
    ORDER BY new.address
    ON CONFLICT DO NOTHING
    RETURNING id, address
)

SELECT
    new.n,
    inserted.id
FROM inserted
INNER JOIN new ON inserted.address = new.address;
