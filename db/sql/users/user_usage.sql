-- What do the accounts :account_ids have and what have they done, as of :now? By account.
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
    (SELECT count(*) FROM event WHERE event.user_id = account.id) AS events,
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
