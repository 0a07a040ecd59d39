-- Of the users whose first event ever lies in a window (:windows of them, of :days days of :tz each, from the date
-- :start on), how many have events in each window from theirs on? By cohort and window after it, both from 0;
-- windows without users are left out. [:since, :until) spans all windows, and may reach beyond them.
WITH newcomer AS (
    SELECT first_event.user_id, (first_event.day - CAST(:start AS date)) / CAST(:days AS int) AS cohort
    FROM (
        SELECT event.user_id, CAST(min(event.occurred_at) AT TIME ZONE :tz AS date) AS day
        FROM event
        GROUP BY event.user_id
    ) AS first_event
    WHERE
        first_event.day >= CAST(:start AS date)
        AND first_event.day < CAST(:start AS date) + CAST(:days AS int) * CAST(:windows AS int)
),

active AS (
    SELECT DISTINCT
        event.user_id,
        (CAST(event.occurred_at AT TIME ZONE :tz AS date) - CAST(:start AS date)) / CAST(:days AS int) AS window_number
    FROM event
    WHERE
        event.occurred_at >= :since
        AND event.occurred_at < :until
        AND CAST(event.occurred_at AT TIME ZONE :tz AS date) >= CAST(:start AS date)
)

SELECT newcomer.cohort, active.window_number - newcomer.cohort AS later, count(*) AS users
FROM newcomer
INNER JOIN active ON newcomer.user_id = active.user_id
WHERE active.window_number >= newcomer.cohort AND active.window_number < CAST(:windows AS int)
GROUP BY newcomer.cohort, later
ORDER BY newcomer.cohort, later;
