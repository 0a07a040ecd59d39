-- Select the live visits of :request_ids with all names, as list_live_visits.sql does.
SELECT
    visit.request_id,
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
    referrer.url AS referrer,
    agent.browser,
    agent.os,
    agent.device,
    CASE WHEN visit.is_bot THEN 'bot' ELSE 'human' END AS traffic
FROM live_visit AS visit
LEFT JOIN category ON visit.category_id = category.id
LEFT JOIN product ON visit.product_id = product.id
LEFT JOIN referrer ON visit.referrer_id = referrer.id
LEFT JOIN agent ON visit.agent_id = agent.id
WHERE visit.request_id = ANY(CAST(:request_ids AS text[])) AND visit.source <> 'log';
