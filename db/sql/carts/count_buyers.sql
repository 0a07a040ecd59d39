-- Add to the number of carts that each user has paid. Return how many users more, or less, have paid so many: few
-- numbers are the same for many users. Nobody else writes buyers meanwhile, so no row can clash.
WITH added AS MATERIALIZED (
    SELECT *
    FROM unnest(
        CAST(:user_id AS bigint[]),
        CAST(:log AS bigint[]),
        CAST(:live AS bigint[]),
        CAST(:bot_log AS bigint[]),
        CAST(:bot_live AS bigint[])
    ) AS parameter (user_id, log, live, bot_log, bot_live)
),

raised AS (
    UPDATE buyer SET
        log = buyer.log + added.log,
        live = buyer.live + added.live,
        bot_log = buyer.bot_log + added.bot_log,
        bot_live = buyer.bot_live + added.bot_live
    FROM added
    WHERE buyer.user_id = added.user_id
    RETURNING
        buyer.user_id,
        buyer.log,
        buyer.live,
        buyer.bot_log,
        buyer.bot_live,
        added.log AS added_log,
        added.live AS added_live,
        added.bot_log AS added_bot_log,
        added.bot_live AS added_bot_live
),

inserted AS (
    INSERT INTO buyer (user_id, log, live, bot_log, bot_live)
    SELECT * FROM added
    WHERE NOT EXISTS (SELECT FROM raised WHERE raised.user_id = added.user_id)
    ORDER BY added.user_id
    RETURNING log, live, bot_log, bot_live
)

SELECT
    each.log,
    each.live,
    each.bot_log,
    each.bot_live,
    sum(each.users) AS users
FROM (
    SELECT inserted.log, inserted.live, inserted.bot_log, inserted.bot_live, 1 AS users FROM inserted
    UNION ALL
    SELECT raised.log, raised.live, raised.bot_log, raised.bot_live, 1 FROM raised
    UNION ALL
    SELECT
        raised.log - raised.added_log,
        raised.live - raised.added_live,
        raised.bot_log - raised.added_bot_log,
        raised.bot_live - raised.added_bot_live,
        -1
    FROM raised
) AS each
GROUP BY each.log, each.live, each.bot_log, each.bot_live;
