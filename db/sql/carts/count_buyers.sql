-- Add to how many carts each user has paid. Returns by how much that changes the number of users who have paid so many
-- carts of the log, live, or of all sources.
WITH added AS (
    SELECT *
    FROM unnest(CAST(:user_id AS bigint[]), CAST(:log AS bigint[]), CAST(:live AS bigint[]))
        AS given (user_id, log, live)
),

changed AS (
    INSERT INTO buyer AS known (user_id, log, live)
    SELECT * FROM added
    ORDER BY added.user_id
    ON CONFLICT (user_id) DO UPDATE SET log = known.log + excluded.log, live = known.live + excluded.live
    RETURNING user_id, log, live
),

moved AS (
    SELECT
        move.sources,
        move.purchases,
        move.users
    FROM changed
    INNER JOIN added ON changed.user_id = added.user_id
    CROSS JOIN LATERAL (
        VALUES
        ('all', changed.log + changed.live, 1),
        ('all', changed.log + changed.live - added.log - added.live, -1),
        ('log', changed.log, 1),
        ('log', changed.log - added.log, -1),
        ('api', changed.live, 1),
        ('api', changed.live - added.live, -1)
    ) AS move (sources, purchases, users)
    WHERE move.purchases > 0
)

SELECT
    moved.sources,
    moved.purchases,
    sum(moved.users) AS users
FROM moved
GROUP BY moved.sources, moved.purchases
HAVING sum(moved.users) <> 0
ORDER BY moved.sources, moved.purchases;
