-- Set the :country of each :address on up to :count visits that have none, and return them.
UPDATE visit SET country = change.country
FROM (
    SELECT
        without_country.occurred_at,
        without_country.request_id,
        lookup.country
    FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[])) AS lookup (address, country)
    INNER JOIN visit AS without_country
        ON lookup.address = without_country.address AND without_country.country IS NULL
    LIMIT :count
) AS change
WHERE visit.occurred_at = change.occurred_at AND visit.request_id = change.request_id
RETURNING
    visit.occurred_at,
    visit.source,
    visit.kind,
    visit.category_id,
    visit.country;
