-- Add to the number of carts that each user has paid. Return by how much that changes the number of users with each
-- number of paid carts: of the log, live, and of all sources.
WITH added AS (
    SELECT *
    FROM unnest(CAST(:user_id AS bigint[]), CAST(:log AS bigint[]), CAST(:live AS bigint[]))
        AS parameter (user_id, log, live)
),

changed AS (
    INSERT INTO buyer (user_id, log, live)
    SELECT * FROM added
    ORDER BY added.user_id
    ON CONFLICT (user_id) DO UPDATE SET log = buyer.log + excluded.log, live = buyer.live + excluded.live
    RETURNING user_id, log, live
),

changes AS (
    SELECT
        change.sources,
        change.purchases,
        change.users
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
    ) AS change (sources, purchases, users)
    WHERE change.purchases > 0
)

SELECT
    changes.sources,
    changes.purchases,
    sum(changes.users) AS users
FROM changes
GROUP BY changes.sources, changes.purchases
HAVING sum(changes.users) <> 0
ORDER BY changes.sources, changes.purchases;
