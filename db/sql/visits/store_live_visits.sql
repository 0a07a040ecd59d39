-- Store live visits, each of another id, with the roll-ups that count them. Return the new ones, with the counts of
-- their pages; or what is missing, and then nothing is stored: `names` if a category, product, referrer or agent has no id
-- yet; `goods` unless the caller is to :infer_goods, if a cart line may follow a product page of its address, which explains it.
-- Only the next 50 lines are searched for one: for all of them the planner would expect many, and plan each time.
-- Tables are written in the order of service/visits/derive.py, and rows in the order of their keys: each step reads the
-- step before it, because PostgreSQL promises no order of its own.
WITH incoming AS (
    SELECT
        sent.*,
        category.id AS category_id,
        product.id AS product_id,
        referrer.id AS referrer_id,
        agent.id AS agent_id,
        agent.browser,
        agent.os,
        agent.device,
        coalesce(agent.is_bot, FALSE) AS is_bot,
        -- What is missing for any of them; `names` comes after `goods`.
        max(
            CASE
                WHEN
                    (sent.category_sha256 IS NULL) <> (category.id IS NULL)
                    OR (sent.product_sha256 IS NULL) <> (product.id IS NULL)
                    OR (sent.referrer_sha256 IS NULL) <> (referrer.id IS NULL)
                    OR (sent.agent_sha256 IS NULL) <> (agent.id IS NULL)
                    THEN 'names'
                WHEN
                    NOT CAST(:infer_goods AS boolean)
                    AND sent.kind = 'product'
                    AND (
                        EXISTS (
                            SELECT FROM visit_part
                            WHERE visit_part.last_at >= sent.occurred_at AND visit_part.cart_ids IS NOT NULL
                        )
                        OR (
                            SELECT coalesce(bool_or(later.kind = 'cart'), FALSE) OR count(*) = 50
                            FROM (
                                SELECT visit.kind
                                FROM live_visit AS visit
                                WHERE
                                    visit.kind IN ('product', 'cart')
                                    AND visit.address = sent.address
                                    AND visit.occurred_at >= sent.occurred_at
                                ORDER BY visit.occurred_at
                                LIMIT 50
                            ) AS later
                        )
                    )
                    THEN 'goods'
            END
        ) OVER () AS missing
    FROM unnest(
        CAST(:request_id AS text[]),
        CAST(:occurred_at AS timestamptz[]),
        CAST(:position AS bigint[]),
        CAST(:source AS text[]),
        CAST(:kind AS text[]),
        CAST(:address AS inet[]),
        CAST(:country AS text[]),
        CAST(:category_sha256 AS bytea[]),
        CAST(:product_sha256 AS bytea[]),
        CAST(:user_id AS bigint[]),
        CAST(:cart_id AS bigint[]),
        CAST(:goods_id AS bigint[]),
        CAST(:amount AS bigint[]),
        CAST(:buyer_id AS bigint[]),
        CAST(:page_url AS text[]),
        CAST(:page_sha256 AS bytea[]),
        CAST(:referrer_sha256 AS bytea[]),
        CAST(:agent_sha256 AS bytea[]),
        CAST(:is_id_given AS boolean[])
    ) AS sent (
        request_id, occurred_at, position, source, kind, address, country, category_sha256, product_sha256,
        user_id, cart_id, goods_id, amount, buyer_id, page_url, page_sha256, referrer_sha256, agent_sha256,
        is_id_given
    )
    -- As db.locks.lock_writers_shared: nobody changes or deletes visits meanwhile. The window above waits for it.
    CROSS JOIN (SELECT pg_advisory_xact_lock_shared(20181, 0)) AS writers
    LEFT JOIN category ON sent.category_sha256 = category.name_sha256
    LEFT JOIN product ON category.id = product.category_id AND sent.product_sha256 = product.name_sha256
    LEFT JOIN referrer ON sent.referrer_sha256 = referrer.digest
    LEFT JOIN agent ON sent.agent_sha256 = agent.digest
),

-- Known only now that nobody merges visits: the lock is held. An id that we gave was never there before.
merged AS MATERIALIZED (
    SELECT merged_among.id
    FROM merged_among(
        (SELECT array_agg(CAST(incoming.request_id AS uuid)) FROM incoming WHERE incoming.is_id_given)
    ) AS merged_among (id)
),

new AS (
    INSERT INTO live_visit (
        request_id, occurred_at, position, source, kind, address, country, category_id, product_id,
        user_id, cart_id, goods_id, amount, buyer_id, page_url, referrer_id, agent_id, is_bot
    )
    SELECT
        incoming.request_id,
        incoming.occurred_at,
        incoming.position,
        incoming.source,
        incoming.kind,
        incoming.address,
        incoming.country,
        incoming.category_id,
        incoming.product_id,
        incoming.user_id,
        incoming.cart_id,
        incoming.goods_id,
        incoming.amount,
        incoming.buyer_id,
        incoming.page_url,
        incoming.referrer_id,
        incoming.agent_id,
        incoming.is_bot
    FROM incoming
    WHERE
        incoming.missing IS NULL
        AND NOT EXISTS (SELECT FROM merged WHERE merged.id = CAST(incoming.request_id AS uuid))
    ORDER BY incoming.request_id COLLATE "C"
    ON CONFLICT DO NOTHING
    RETURNING request_id
),

counted AS (
    SELECT
        incoming.*,
        date_bin('15 minutes', incoming.occurred_at, 'epoch') AS quarter,
        date_bin('1 day', incoming.occurred_at, 'epoch') AS day
    FROM incoming
    INNER JOIN new ON incoming.request_id = new.request_id
),

addresses AS (
    INSERT INTO address (address, country)
    SELECT counted.address, counted.country
    FROM counted
    WHERE
        counted.address IS NOT NULL
        -- A row that is refused would take an id all the same.
        AND NOT EXISTS (SELECT FROM address WHERE address.address = counted.address)
    GROUP BY counted.address, counted.country
    ORDER BY counted.address
    ON CONFLICT DO NOTHING
    RETURNING 1
),

quarters AS (
    INSERT INTO request_quarter AS total (quarter, source, is_bot, requests)
    SELECT counted.quarter, counted.source, counted.is_bot, count(*)
    FROM counted
    WHERE (SELECT count(*) FROM addresses) >= 0
    GROUP BY counted.quarter, counted.source, counted.is_bot
    ORDER BY counted.quarter, counted.source, counted.is_bot
    ON CONFLICT (quarter, source, is_bot) DO UPDATE SET requests = total.requests + excluded.requests
    RETURNING 1
),

category_quarters AS (
    INSERT INTO category_quarter AS total (category_id, quarter, kind, source, is_bot, requests)
    SELECT counted.category_id, counted.quarter, counted.kind, counted.source, counted.is_bot, count(*)
    FROM counted
    WHERE counted.category_id IS NOT NULL AND (SELECT count(*) FROM quarters) >= 0
    GROUP BY counted.category_id, counted.quarter, counted.kind, counted.source, counted.is_bot
    ORDER BY counted.category_id, counted.quarter, counted.kind, counted.source, counted.is_bot
    ON CONFLICT (category_id, quarter, kind, source, is_bot) DO UPDATE SET requests = total.requests + excluded.requests
    RETURNING 1
),

country_days AS (
    INSERT INTO country_day AS total (day, country, source, is_bot, requests)
    SELECT counted.day, counted.country, counted.source, counted.is_bot, count(*)
    FROM counted
    WHERE counted.country IS NOT NULL AND (SELECT count(*) FROM category_quarters) >= 0
    GROUP BY counted.day, counted.country, counted.source, counted.is_bot
    ORDER BY counted.day, counted.country, counted.source, counted.is_bot
    ON CONFLICT (day, country, source, is_bot) DO UPDATE SET requests = total.requests + excluded.requests
    RETURNING 1
),

category_country_days AS (
    INSERT INTO category_country_day AS total (category_id, day, country, kind, source, is_bot, requests)
    SELECT counted.category_id, counted.day, counted.country, counted.kind, counted.source, counted.is_bot, count(*)
    FROM counted
    WHERE
        counted.category_id IS NOT NULL
        AND counted.country IS NOT NULL
        AND (SELECT count(*) FROM country_days) >= 0
    GROUP BY counted.category_id, counted.day, counted.country, counted.kind, counted.source, counted.is_bot
    ORDER BY counted.category_id, counted.day, counted.country, counted.kind, counted.source, counted.is_bot
    ON CONFLICT (category_id, day, country, kind, source, is_bot)
    DO UPDATE SET requests = total.requests + excluded.requests
    RETURNING 1
),

pages AS (
    INSERT INTO page_visits AS total (page_sha256, visits)
    SELECT counted.page_sha256, count(*)
    FROM counted
    WHERE counted.page_sha256 IS NOT NULL AND (SELECT count(*) FROM category_country_days) >= 0
    GROUP BY counted.page_sha256
    ORDER BY counted.page_sha256
    ON CONFLICT (page_sha256) DO UPDATE SET visits = total.visits + excluded.visits
    RETURNING page_sha256, visits
)

SELECT
    incoming.request_id,
    pages.visits,
    incoming.browser,
    incoming.os,
    incoming.device,
    incoming.is_bot,
    incoming.missing
FROM incoming
LEFT JOIN new ON incoming.request_id = new.request_id
LEFT JOIN pages ON incoming.page_sha256 = pages.page_sha256
WHERE incoming.missing IS NOT NULL OR new.request_id IS NOT NULL;
