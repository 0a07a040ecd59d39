-- Take from the number of carts that each user has paid, and delete who has paid none any more. Numbers to add are
-- negative or 0. Return how many users more, or less, have paid so many, as count_buyers does.
WITH lost AS MATERIALIZED (
    SELECT *
    FROM unnest(
        CAST(:user_id AS bigint[]),
        CAST(:log AS bigint[]),
        CAST(:live AS bigint[]),
        CAST(:bot_log AS bigint[]),
        CAST(:bot_live AS bigint[])
    ) AS parameter (user_id, log, live, bot_log, bot_live)
),

emptied AS (
    DELETE FROM buyer USING lost
    WHERE
        buyer.user_id = lost.user_id
        AND (buyer.log, buyer.live, buyer.bot_log, buyer.bot_live)
        = (-lost.log, -lost.live, -lost.bot_log, -lost.bot_live)
    RETURNING buyer.log, buyer.live, buyer.bot_log, buyer.bot_live
),

lowered AS (
    UPDATE buyer SET
        log = buyer.log + lost.log,
        live = buyer.live + lost.live,
        bot_log = buyer.bot_log + lost.bot_log,
        bot_live = buyer.bot_live + lost.bot_live
    FROM lost
    WHERE
        buyer.user_id = lost.user_id
        AND (buyer.log, buyer.live, buyer.bot_log, buyer.bot_live)
        <> (-lost.log, -lost.live, -lost.bot_log, -lost.bot_live)
    RETURNING
        buyer.log,
        buyer.live,
        buyer.bot_log,
        buyer.bot_live,
        lost.log AS lost_log,
        lost.live AS lost_live,
        lost.bot_log AS lost_bot_log,
        lost.bot_live AS lost_bot_live
)

SELECT
    each.log,
    each.live,
    each.bot_log,
    each.bot_live,
    sum(each.users) AS users
FROM (
    SELECT emptied.log, emptied.live, emptied.bot_log, emptied.bot_live, -1 AS users FROM emptied
    UNION ALL
    SELECT lowered.log, lowered.live, lowered.bot_log, lowered.bot_live, 1 FROM lowered
    UNION ALL
    SELECT
        lowered.log - lowered.lost_log,
        lowered.live - lowered.lost_live,
        lowered.bot_log - lowered.lost_bot_log,
        lowered.bot_live - lowered.lost_bot_live,
        -1
    FROM lowered
) AS each
GROUP BY each.log, each.live, each.bot_log, each.bot_live;
