-- Select the visits of :request_ids that stand in parts: the columns of live_visits.sql, then address and agent.
-- Their parts are read whole, but names are looked up for these visits alone, as in the view `visit`.
WITH sought AS MATERIALIZED (
    SELECT merged_visit.id, merged_visit.occurred_at
    FROM merged_visit
    WHERE merged_visit.id = ANY(CAST(CAST(:request_ids AS text[]) AS uuid[]))
),

part AS MATERIALIZED (
    SELECT visit_part.token, visit_part.source, visit_part.host
    FROM visit_part
    WHERE
        visit_part.source <> 'log'
        AND EXISTS (
            SELECT FROM sought
            WHERE sought.occurred_at >= visit_part.first_at AND sought.occurred_at <= visit_part.last_at
        )
),

line AS MATERIALIZED (
    SELECT each.*
    FROM (
        SELECT
            part.source,
            part.host,
            unnest(visit_part_columns.request_id) AS id,
            unnest(visit_part_columns.occurred) AS occurred_at,
            unnest(visit_part_columns.address_id) AS address_id,
            unnest(visit_part_columns.page_id) AS page_id,
            unnest(visit_part_columns.kind) AS kind,
            unnest(visit_part_columns.cart_id) AS cart_id,
            unnest(visit_part_columns.goods_id) AS goods_id,
            unnest(visit_part_columns.amount) AS amount,
            unnest(visit_part_columns.user_id) AS buyer_id,
            unnest(visit_part_columns.visitor_id) AS user_id,
            unnest(visit_part_columns.referrer_id) AS referrer_id,
            unnest(visit_part_columns.agent_id) AS agent_id
        FROM part INNER JOIN visit_part_columns ON part.token = visit_part_columns.token
    ) AS each
    WHERE each.id IN (SELECT sought.id FROM sought)
)

SELECT
    CAST(line.id AS text) AS request_id,
    line.occurred_at,
    coalesce(
        page.url,
        template_url(line.host, line.kind, line.cart_id, line.goods_id, line.amount, line.buyer_id)
    ) AS page_url,
    line.user_id,
    address.country,
    line.source,
    kind_name(line.kind) AS kind,
    category.name AS category,
    product.name AS product,
    CAST(NULL AS text) AS method,
    CAST(NULL AS smallint) AS status,
    CAST(NULL AS bigint) AS bytes,
    referrer.url AS referrer,
    agent.browser,
    agent.os,
    agent.device,
    CASE WHEN agent.is_bot THEN 'bot' ELSE 'human' END AS traffic,
    host(address.address) AS address,
    agent.agent
FROM line
LEFT JOIN address ON line.address_id = address.id
LEFT JOIN page ON line.page_id = page.id
LEFT JOIN category ON page.category_id = category.id
LEFT JOIN product ON page.product_id = product.id
LEFT JOIN referrer ON line.referrer_id = referrer.id
LEFT JOIN agent ON line.agent_id = agent.id;
