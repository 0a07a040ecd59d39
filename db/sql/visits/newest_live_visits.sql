-- Select the newest live visits of :since and later that come before (:before_at, :before_id), and in each row
-- the versions of the countries and of the parts at the same moment: there is a row for these without a visit, too.
SELECT
    (SELECT version FROM address_version) AS countries,
    (SELECT bit_xor(uuid_hash_extended(token, id)) FROM visit_part) AS parts,
    live.*
FROM (SELECT 1) AS moment
LEFT JOIN (
    SELECT
        visit.request_id,
        visit.occurred_at,
        visit.page_url,
        visit.user_id,
        visit.country,
        visit.source,
        visit.kind,
        (SELECT category.name FROM category WHERE category.id = visit.category_id) AS category,
        (SELECT product.name FROM product WHERE product.id = visit.product_id) AS product,
        CAST(NULL AS text) AS method,
        CAST(NULL AS smallint) AS status,
        CAST(NULL AS bigint) AS bytes,
        (SELECT referrer.url FROM referrer WHERE referrer.id = visit.referrer_id) AS referrer,
        agent.browser,
        agent.os,
        agent.device,
        CASE WHEN visit.is_bot THEN 'bot' ELSE 'human' END AS traffic
    FROM live_visit AS visit
    LEFT JOIN agent ON visit.agent_id = agent.id
    WHERE
        visit.occurred_at >= CAST(:since AS timestamptz)
        AND visit.occurred_at <= :before_at
        AND (visit.occurred_at, visit.request_id) < (CAST(:before_at AS timestamptz), CAST(:before_id AS text))
    ORDER BY visit.occurred_at DESC, visit.request_id DESC
    LIMIT CAST(:limit AS bigint)
) AS live ON TRUE;
