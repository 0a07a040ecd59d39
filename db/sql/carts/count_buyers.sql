-- Add to the number of carts that each user has paid. Return how many users more, or less, have paid so many: few
-- numbers are the same for many users.
WITH added AS (
    SELECT *
    FROM unnest(
        CAST(:user_id AS bigint[]),
        CAST(:log AS bigint[]),
        CAST(:live AS bigint[]),
        CAST(:bot_log AS bigint[]),
        CAST(:bot_live AS bigint[])
    ) AS parameter (user_id, log, live, bot_log, bot_live)
),

changed AS (
    INSERT INTO buyer (user_id, log, live, bot_log, bot_live)
    SELECT * FROM added
    ORDER BY added.user_id
    ON CONFLICT (user_id) DO UPDATE SET
        log = buyer.log + excluded.log,
        live = buyer.live + excluded.live,
        bot_log = buyer.bot_log + excluded.bot_log,
        bot_live = buyer.bot_live + excluded.bot_live
    RETURNING user_id, log, live, bot_log, bot_live
)

SELECT
    each.log,
    each.live,
    each.bot_log,
    each.bot_live,
    sum(each.users) AS users
FROM (
    SELECT changed.log, changed.live, changed.bot_log, changed.bot_live, 1 AS users FROM changed
    UNION ALL
    SELECT
        changed.log - added.log,
        changed.live - added.live,
        changed.bot_log - added.bot_log,
        changed.bot_live - added.bot_live,
        -1
    FROM changed
    INNER JOIN added ON changed.user_id = added.user_id
) AS each
GROUP BY each.log, each.live, each.bot_log, each.bot_live;
