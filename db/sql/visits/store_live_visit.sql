-- Store one live visit as store_live_visits.sql stores many, in 60 % of the time: nothing is sorted, grouped or joined.
-- Return the visit if it is new, with the count of its page; or what is missing, and then nothing is stored: `names` if
-- a category, product, referrer or agent has no id yet; `goods` if a cart line may follow the page, unless the caller is to :infer_goods.
-- Only the next 50 lines are searched for one: for all of them the planner would expect many, and plan each time. Any
-- part that ends later may hold one.
-- Each step reads the step before it, so that tables are written in the order of service/visits/derive.py.
WITH category_ids AS MATERIALIZED (
    SELECT
        (SELECT category.id FROM category WHERE category.name_sha256 = CAST(:category_sha256 AS bytea)) AS id,
        (SELECT referrer.id FROM referrer WHERE referrer.digest = CAST(:referrer_sha256 AS bytea)) AS referrer_id,
        -- As db.locks.lock_writers_shared: nobody changes or deletes visits meanwhile.
        pg_advisory_xact_lock_shared(20181, 0) AS writers
),

incoming AS MATERIALIZED (
    SELECT
        category_ids.id AS category_id,
        product.id AS product_id,
        category_ids.referrer_id,
        agent.id AS agent_id,
        agent.browser,
        agent.os,
        agent.device,
        coalesce(agent.is_bot, FALSE) AS is_bot,
        CASE
            WHEN
                (CAST(:category_sha256 AS bytea) IS NULL) <> (category_ids.id IS NULL)
                OR (CAST(:product_sha256 AS bytea) IS NULL) <> (product.id IS NULL)
                OR (CAST(:referrer_sha256 AS bytea) IS NULL) <> (category_ids.referrer_id IS NULL)
                OR (CAST(:agent_sha256 AS bytea) IS NULL) <> (agent.id IS NULL)
                THEN 'names'
            WHEN
                NOT CAST(:infer_goods AS boolean)
                AND CAST(:kind AS text) = 'product'
                AND (
                    EXISTS (
                        SELECT FROM visit_part
                        WHERE
                            visit_part.last_at >= CAST(:occurred_at AS timestamptz) AND visit_part.cart_ids IS NOT NULL
                    )
                    OR (
                        SELECT coalesce(bool_or(later.kind = 'cart'), FALSE) OR count(*) = 50
                        FROM (
                            SELECT visit.kind
                            FROM live_visit AS visit
                            WHERE
                                visit.kind IN ('product', 'cart')
                                AND visit.address = CAST(:address AS inet)
                                AND visit.occurred_at >= CAST(:occurred_at AS timestamptz)
                            ORDER BY visit.occurred_at
                            LIMIT 50
                        ) AS later
                    )
                )
                THEN 'goods'
        END AS missing
    FROM category_ids
    LEFT JOIN product
        ON category_ids.id = product.category_id AND product.name_sha256 = CAST(:product_sha256 AS bytea)
    LEFT JOIN agent ON agent.digest = CAST(:agent_sha256 AS bytea)
),

new AS (
    INSERT INTO live_visit (
        request_id, occurred_at, position, source, kind, address, country, category_id, product_id,
        user_id, cart_id, goods_id, amount, buyer_id, page_url, referrer_id, agent_id, is_bot
    )
    SELECT
        CAST(:request_id AS text),
        CAST(:occurred_at AS timestamptz),
        CAST(:position AS bigint),
        CAST(:source AS text),
        CAST(:kind AS text),
        CAST(:address AS inet),
        CAST(:country AS text),
        incoming.category_id,
        incoming.product_id,
        CAST(:user_id AS bigint),
        CAST(:cart_id AS bigint),
        CAST(:goods_id AS bigint),
        CAST(:amount AS bigint),
        CAST(:buyer_id AS bigint),
        CAST(:page_url AS text),
        incoming.referrer_id,
        incoming.agent_id,
        incoming.is_bot
    FROM incoming
    -- Known only now that nobody merges visits: the lock is held. An id that we gave was never there before.
    WHERE
        incoming.missing IS NULL
        AND NOT (CAST(:is_id_given AS boolean) AND is_merged(CAST(CAST(:request_id AS text) AS uuid)))
    ON CONFLICT DO NOTHING
    RETURNING
        category_id,
        kind,
        source,
        country,
        is_bot,
        date_bin('15 minutes', occurred_at, 'epoch') AS quarter,
        date_bin('1 day', occurred_at, 'epoch') AS day
),

addresses AS (
    INSERT INTO address (address, country)
    SELECT CAST(:address AS inet), CAST(:country AS text)
    FROM new
    WHERE
        CAST(:address AS inet) IS NOT NULL
        -- A row that is refused would take an id all the same.
        AND NOT EXISTS (SELECT FROM address WHERE address.address = CAST(:address AS inet))
    ON CONFLICT DO NOTHING
    RETURNING 1
),

quarters AS (
    INSERT INTO request_quarter AS total (quarter, source, is_bot, requests)
    SELECT new.quarter, new.source, new.is_bot, 1
    FROM new
    WHERE (SELECT count(*) FROM addresses) >= 0
    ON CONFLICT (quarter, source, is_bot) DO UPDATE SET requests = total.requests + 1
    RETURNING 1
),

category_quarters AS (
    INSERT INTO category_quarter AS total (category_id, quarter, kind, source, is_bot, requests)
    SELECT new.category_id, new.quarter, new.kind, new.source, new.is_bot, 1
    FROM new
    WHERE new.category_id IS NOT NULL AND (SELECT count(*) FROM quarters) >= 0
    ON CONFLICT (category_id, quarter, kind, source, is_bot) DO UPDATE SET requests = total.requests + 1
    RETURNING 1
),

country_days AS (
    INSERT INTO country_day AS total (day, country, source, is_bot, requests)
    SELECT new.day, new.country, new.source, new.is_bot, 1
    FROM new
    WHERE new.country IS NOT NULL AND (SELECT count(*) FROM category_quarters) >= 0
    ON CONFLICT (day, country, source, is_bot) DO UPDATE SET requests = total.requests + 1
    RETURNING 1
),

category_country_days AS (
    INSERT INTO category_country_day AS total (category_id, day, country, kind, source, is_bot, requests)
    SELECT new.category_id, new.day, new.country, new.kind, new.source, new.is_bot, 1
    FROM new
    WHERE
        new.category_id IS NOT NULL
        AND new.country IS NOT NULL
        AND (SELECT count(*) FROM country_days) >= 0
    ON CONFLICT (category_id, day, country, kind, source, is_bot) DO UPDATE SET requests = total.requests + 1
    RETURNING 1
),

pages AS (
    INSERT INTO page_visits AS total (page_sha256, visits)
    SELECT CAST(:page_sha256 AS bytea), 1
    FROM new
    WHERE CAST(:page_sha256 AS bytea) IS NOT NULL AND (SELECT count(*) FROM category_country_days) >= 0
    ON CONFLICT (page_sha256) DO UPDATE SET visits = total.visits + 1
    RETURNING visits
)

SELECT
    CAST(:request_id AS text) AS request_id,
    (SELECT pages.visits FROM pages) AS visits,
    incoming.browser,
    incoming.os,
    incoming.device,
    incoming.is_bot,
    incoming.missing
FROM incoming
WHERE incoming.missing IS NOT NULL OR EXISTS (SELECT FROM new);
