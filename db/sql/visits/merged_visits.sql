-- Select the visits of :request_ids that stand in parts: the columns of live_visits.sql, then address and agent.
-- Their parts are read whole, and no others.
WITH sought AS MATERIALIZED (
    SELECT merged_visit.id, merged_visit.occurred_at
    FROM merged_visit
    WHERE merged_visit.id = ANY(CAST(CAST(:request_ids AS text[]) AS uuid[]))
)

SELECT
    CAST(visit.id AS text) AS request_id,
    visit.occurred_at,
    visit.page_url,
    visit.user_id,
    visit.country,
    visit.source,
    visit.kind,
    category.name AS category,
    product.name AS product,
    CAST(NULL AS text) AS method,
    CAST(NULL AS smallint) AS status,
    CAST(NULL AS bigint) AS bytes,
    visit.referrer,
    visit.browser,
    visit.os,
    visit.device,
    visit.traffic,
    host(visit.address) AS address,
    visit.agent
FROM visit
LEFT JOIN category ON visit.category_id = category.id
LEFT JOIN product ON visit.product_id = product.id
WHERE
    visit.part_id = ANY(
        ARRAY(
            SELECT visit_part.id
            FROM visit_part
            WHERE
                visit_part.source <> 'log'
                AND EXISTS (
                    SELECT FROM sought
                    WHERE sought.occurred_at >= visit_part.first_at AND sought.occurred_at <= visit_part.last_at
                )
        )
    )
    AND visit.id IN (SELECT sought.id FROM sought);
