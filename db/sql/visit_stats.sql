-- How many visits pass the filters, by up to two groups (:by_1, :by_2), from how many distinct addresses, and from
-- when to when? Most visits first, then by group, nulls last. A time group is what its quarter hour begins with.
-- Addresses are told apart by a group for each: counting them with DISTINCT would sort all visits.
SELECT
    counted.text_1,
    counted.number_1,
    counted.time_1,
    category_1.name AS category_1,
    counted.text_2,
    counted.number_2,
    counted.time_2,
    category_2.name AS category_2,
    counted.visits,
    counted.visitors,
    counted.first,
    counted.last
FROM (
    SELECT
        by_address.text_1,
        by_address.number_1,
        by_address.time_1,
        by_address.text_2,
        by_address.number_2,
        by_address.time_2,
        CAST(sum(by_address.visits) AS bigint) AS visits,
        count(by_address.address) AS visitors,
        min(by_address.first) AS first,
        max(by_address.last) AS last
    FROM (
        SELECT
            CASE CAST(:by_1 AS text) WHEN 'page' THEN visit.page_url WHEN 'country' THEN visit.country END AS text_1,
            CASE CAST(:by_1 AS text) WHEN 'user' THEN visit.user_id WHEN 'category' THEN visit.category_id END AS number_1,
            bucket.begin_1 AS time_1,
            CASE CAST(:by_2 AS text) WHEN 'page' THEN visit.page_url WHEN 'country' THEN visit.country END AS text_2,
            CASE CAST(:by_2 AS text) WHEN 'user' THEN visit.user_id WHEN 'category' THEN visit.category_id END AS number_2,
            bucket.begin_2 AS time_2,
            visit.address,
            count(*) AS visits,
            min(visit.occurred_at) AS first,
            max(visit.occurred_at) AS last
        FROM visit
        LEFT JOIN unnest(
            CAST(:quarter AS timestamptz[]), CAST(:begin_1 AS timestamptz[]), CAST(:begin_2 AS timestamptz[])
        ) AS bucket (quarter, begin_1, begin_2)
            ON CAST(:timed AS boolean) AND date_bin('15 minutes', visit.occurred_at, 'epoch') = bucket.quarter
        WHERE
            (CAST(:since AS timestamptz) IS NULL OR visit.occurred_at >= :since)
            AND (CAST(:until AS timestamptz) IS NULL OR visit.occurred_at < :until)
            AND (CAST(:user_id AS bigint) IS NULL OR visit.user_id = :user_id)
            AND (CAST(:page_url AS text) IS NULL OR visit.page_url = :page_url)
            AND (CAST(:source AS text) IS NULL OR visit.source = :source)
            AND (CAST(:country AS text) IS NULL OR visit.country = :country)
            AND (CAST(:category_id AS int) IS NULL OR visit.category_id = :category_id)
            -- A quarter that began since the buckets were made is not counted yet.
            AND (NOT CAST(:timed AS boolean) OR bucket.quarter IS NOT NULL)
            -- Lets the index of live visits serve.
            AND (CAST(:source AS text) IS NULL OR :source = 'log' OR visit.source <> 'log')
        GROUP BY 1, 2, 3, 4, 5, 6, visit.address
    ) AS by_address
    GROUP BY 1, 2, 3, 4, 5, 6
) AS counted
LEFT JOIN category AS category_1 ON CAST(:by_1 AS text) = 'category' AND counted.number_1 = category_1.id
LEFT JOIN category AS category_2 ON CAST(:by_2 AS text) = 'category' AND counted.number_2 = category_2.id
ORDER BY
    counted.visits DESC,
    coalesce(counted.text_1, category_1.name) COLLATE "C",
    counted.number_1,
    counted.time_1,
    coalesce(counted.text_2, category_2.name) COLLATE "C",
    counted.number_2,
    counted.time_2
LIMIT CAST(:limit AS bigint) OFFSET CAST(:offset AS bigint);
