-- Select the ids, countries and first views of products of :addresses that are stored, by their places in the array.
SELECT
    sought.n,
    address.id,
    address.country,
    address.first_product_at
FROM unnest(CAST(CAST(:addresses AS text) AS inet[])) WITH ORDINALITY AS sought (address, n)
INNER JOIN address ON sought.address = address.address AND address.variant = 0;
