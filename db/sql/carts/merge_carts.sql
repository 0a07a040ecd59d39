-- Merge new lines into carts: the first line of a cart says its address, source and traffic, the last pay line its user, and the
-- newest line when it changed last.
INSERT INTO cart (
    id, address, source, is_bot, opened_at, opened_position, changed_at, user_id, user_known_at, user_known_position
)
SELECT *
FROM unnest(
    CAST(:id AS bigint[]),
    CAST(:address AS inet[]),
    CAST(:source AS text[]),
    CAST(:is_bot AS boolean[]),
    CAST(:opened_at AS timestamptz[]),
    CAST(:opened_position AS bigint[]),
    CAST(:changed_at AS timestamptz[]),
    CAST(:user_id AS bigint[]),
    CAST(:user_known_at AS timestamptz[]),
    CAST(:user_known_position AS bigint[])
) AS new (
    id, address, source, is_bot, opened_at, opened_position, changed_at, user_id, user_known_at, user_known_position
)
ORDER BY new.id
ON CONFLICT (id) DO UPDATE SET (address, source, is_bot, opened_at, opened_position) = (
    SELECT first.address, first.source, first.is_bot, first.opened_at, first.opened_position
    FROM (
        VALUES
        (cart.address, cart.source, cart.is_bot, cart.opened_at, cart.opened_position),
        (excluded.address, excluded.source, excluded.is_bot, excluded.opened_at, excluded.opened_position)
    ) AS first (address, source, is_bot, opened_at, opened_position)
    ORDER BY first.opened_at, first.opened_position
    LIMIT 1
),
changed_at = greatest(cart.changed_at, excluded.changed_at),
(user_id, user_known_at, user_known_position) = (
    SELECT last.user_id, last.user_known_at, last.user_known_position
    FROM (
        VALUES
        (cart.user_id, cart.user_known_at, cart.user_known_position),
        (excluded.user_id, excluded.user_known_at, excluded.user_known_position)
    ) AS last (user_id, user_known_at, user_known_position)
    ORDER BY last.user_known_at DESC NULLS LAST, last.user_known_position DESC
    LIMIT 1
);
