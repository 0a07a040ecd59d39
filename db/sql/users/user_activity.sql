-- What did the account :account_id do before (:before_at, :before_ref), newest first?
-- Each branch has a limit of its own, so that its index is read no further than needed.
SELECT activity.at, activity.type, activity.detail, activity.ref
FROM (
    (
        SELECT
            auth_event.at,
            auth_event.type,
            host(auth_event.address) AS detail,
            'auth-event ' || lpad(auth_event.id::text, 19, '0') AS ref
        FROM auth_event
        WHERE
            auth_event.account_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR auth_event.at <= :before_at)
        ORDER BY auth_event.at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
    UNION ALL
    (
        SELECT
            visit.occurred_at AS at,
            'visit' AS type,
            visit.page_url AS detail,
            'visit ' || visit.request_id AS ref
        FROM live_visit AS visit
        WHERE
            visit.user_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR visit.occurred_at <= :before_at)
        ORDER BY visit.occurred_at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
    UNION ALL
    (
        SELECT
            visit.occurred_at AS at,
            'visit' AS type,
            NULL AS detail, -- the page is in a part
            'visit ' || visit.id AS ref
        FROM merged_visit AS visit
        WHERE
            visit.user_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR visit.occurred_at <= :before_at)
        ORDER BY visit.occurred_at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
    UNION ALL
    (
        SELECT
            task.created_at AS at,
            'task_created' AS type,
            task.title AS detail,
            'task ' || lpad(task.id::text, 19, '0') AS ref
        FROM task
        WHERE
            task.account_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR task.created_at <= :before_at)
        ORDER BY task.created_at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
    UNION ALL
    (
        SELECT
            favourite.added_at AS at,
            'favourite_added' AS type,
            favourite.kinopoisk_id::text AS detail,
            'favourite ' || lpad(favourite.kinopoisk_id::text, 19, '0') AS ref
        FROM favourite
        WHERE
            favourite.account_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR favourite.added_at <= :before_at)
        ORDER BY favourite.added_at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
    UNION ALL
    (
        SELECT
            event.occurred_at AS at,
            'event' AS type,
            event.event_type AS detail,
            'event ' || event.event_id AS ref
        FROM event
        WHERE
            event.user_id = :account_id
            AND (CAST(:before_at AS timestamptz) IS NULL OR event.occurred_at <= :before_at)
        ORDER BY event.occurred_at DESC
        FETCH FIRST (CAST(:limit AS bigint) + CAST(:offset AS bigint)) ROWS WITH TIES
    )
) AS activity
WHERE
    CAST(:before_at AS timestamptz) IS NULL
    OR (activity.at, activity.ref COLLATE "C") < (:before_at, CAST(:before_ref AS text))
ORDER BY activity.at DESC, activity.ref COLLATE "C" DESC
LIMIT :limit OFFSET :offset;
