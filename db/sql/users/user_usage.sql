-- What do the accounts :account_ids have and what have they done, as of :now? By account.
-- Events are counted apart: where they are spread over a cluster, they are joined to no table of the coordinator.
WITH done AS MATERIALIZED (
    SELECT
        event.user_id,
        count(*) AS events
    FROM event
    WHERE event.user_id = ANY(CAST(:account_ids AS bigint[]))
    GROUP BY event.user_id
)

SELECT
    account.id,
    (
        SELECT max(auth_event.at) FROM auth_event
        WHERE auth_event.account_id = account.id AND auth_event.type = 'login'
    ) AS last_login,
    (
        SELECT count(*) FROM session
        WHERE session.account_id = account.id AND session.expires_at > CAST(:now AS timestamptz)
    ) AS live_sessions,
    (
        SELECT count(*) FROM live_visit AS visit
        WHERE visit.user_id = account.id
    ) + (
        SELECT count(*) FROM merged_visit AS visit
        WHERE visit.user_id = account.id
    ) AS visits,
    coalesce((SELECT done.events FROM done WHERE done.user_id = account.id), 0) AS events,
    (
        SELECT count(*) FROM task
        WHERE task.account_id = account.id
    ) AS tasks,
    (
        SELECT count(*) FROM favourite
        WHERE favourite.account_id = account.id
    ) AS favourites
FROM account
WHERE account.id = ANY(CAST(:account_ids AS bigint[]))
ORDER BY account.id;
