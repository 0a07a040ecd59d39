-- Take from the number of carts that each user has paid, and delete who has paid none any more. Numbers to add are
-- negative or 0. Return how many users more, or less, have paid so many, as count_buyers does.
-- Nobody else changes buyers meanwhile, so a row stays at its place (ctid), and is looked up once.
WITH lost AS MATERIALIZED (
    SELECT
        buyer.ctid AS place,
        buyer.log,
        buyer.live,
        buyer.bot_log,
        buyer.bot_live,
        buyer.log + parameter.log AS new_log,
        buyer.live + parameter.live AS new_live,
        buyer.bot_log + parameter.bot_log AS new_bot_log,
        buyer.bot_live + parameter.bot_live AS new_bot_live
    FROM
        unnest(
            CAST(:user_id AS bigint[]),
            CAST(:log AS bigint[]),
            CAST(:live AS bigint[]),
            CAST(:bot_log AS bigint[]),
            CAST(:bot_live AS bigint[])
        ) AS parameter (user_id, log, live, bot_log, bot_live)
    INNER JOIN buyer ON parameter.user_id = buyer.user_id
),

emptied AS (
    DELETE FROM buyer USING lost
    WHERE
        buyer.ctid = lost.place
        AND (lost.new_log, lost.new_live, lost.new_bot_log, lost.new_bot_live) = (0, 0, 0, 0)
),

lowered AS (
    UPDATE buyer SET
        log = lost.new_log,
        live = lost.new_live,
        bot_log = lost.new_bot_log,
        bot_live = lost.new_bot_live
    FROM lost
    WHERE
        buyer.ctid = lost.place
        AND (lost.new_log, lost.new_live, lost.new_bot_log, lost.new_bot_live) <> (0, 0, 0, 0)
)

SELECT
    each.log,
    each.live,
    each.bot_log,
    each.bot_live,
    sum(each.users) AS users
FROM (
    SELECT lost.log, lost.live, lost.bot_log, lost.bot_live, -1 AS users FROM lost
    UNION ALL
    SELECT lost.new_log, lost.new_live, lost.new_bot_log, lost.new_bot_live, 1 FROM lost
) AS each
GROUP BY each.log, each.live, each.bot_log, each.bot_live;
