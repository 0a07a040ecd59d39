-- Insert the addresses that are new, with their countries.
INSERT INTO address (address, country)
SELECT
    new.address,
    new.country
FROM unnest(CAST(:address AS inet[]), CAST(:country AS text[])) AS new (address, country)
ORDER BY new.address
ON CONFLICT DO NOTHING;
