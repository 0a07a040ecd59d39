SELECT
    count(DISTINCT third.user_id) FILTER (WHERE third.event_type = 'type_1') AS first_users,
    count(DISTINCT third.user_id) FILTER (
        WHERE third.event_type = 'type_2' AND third.occurred_at - third.start_1 <= :within
    ) AS second_users,
    count(DISTINCT third.user_id) FILTER (
        WHERE third.event_type = 'type_3' AND third.occurred_at - third.start_2 <= :within
    ) AS third_users
FROM (
    SELECT
        second.*,
        max(second.start_1) FILTER (WHERE second.event_type = 'type_2') OVER (
            PARTITION BY second.user_id ORDER BY second.occurred_at GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS start_2
    FROM (
        SELECT
            event.user_id,
            event.event_type,
            event.occurred_at,
            max(event.occurred_at) FILTER (WHERE event.event_type = 'type_1') OVER (
                PARTITION BY event.user_id ORDER BY event.occurred_at GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS start_1
        FROM event
        WHERE event.event_type IN ('type_1', 'type_2', 'type_3')
    ) AS second
) AS third;
