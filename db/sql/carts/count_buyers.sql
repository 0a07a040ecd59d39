-- Add to the number of carts that each user has paid. Return by how much that changes the number of users with each
-- number of paid carts: of the log, live, and of all sources, each of people, of bots, and of both.
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
),

-- How many users more, or less, have these numbers: few numbers are the same for many users.
state AS (
    SELECT each.log, each.live, each.bot_log, each.bot_live, sum(each.users) AS users
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
    GROUP BY each.log, each.live, each.bot_log, each.bot_live
)

SELECT
    counted.sources,
    counted.traffic,
    counted.purchases,
    sum(state.users) AS users
FROM state
CROSS JOIN LATERAL (
    VALUES
    ('all', 'all', state.log + state.live + state.bot_log + state.bot_live),
    ('all', 'human', state.log + state.live),
    ('all', 'bot', state.bot_log + state.bot_live),
    ('log', 'all', state.log + state.bot_log),
    ('log', 'human', state.log),
    ('log', 'bot', state.bot_log),
    ('api', 'all', state.live + state.bot_live),
    ('api', 'human', state.live),
    ('api', 'bot', state.bot_live)
) AS counted (sources, traffic, purchases)
WHERE counted.purchases > 0
GROUP BY counted.sources, counted.traffic, counted.purchases
HAVING sum(state.users) <> 0
ORDER BY counted.sources, counted.traffic, counted.purchases;
