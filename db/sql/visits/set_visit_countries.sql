-- Set the :country of each :address on up to :count live visits that have none, and return them.
UPDATE live_visit SET country = change.country
FROM (
    SELECT
        without_country.occurred_at,
        without_country.request_id,
        lookup.country
    FROM unnest(CAST(CAST(:address AS text[]) AS inet[]), CAST(:country AS text[])) AS lookup (address, country)
    INNER JOIN live_visit AS without_country
        ON lookup.address = without_country.address AND without_country.country IS NULL
    LIMIT :count
) AS change
WHERE live_visit.occurred_at = change.occurred_at AND live_visit.request_id = change.request_id
RETURNING
    live_visit.occurred_at,
    live_visit.source,
    live_visit.kind,
    live_visit.category_id,
    live_visit.country,
    live_visit.is_bot;
