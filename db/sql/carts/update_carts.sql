-- Set when carts changed last, and who pays. The caller has merged them with what is stored.
UPDATE cart
SET
    changed_at = new.changed_at,
    user_id = new.user_id,
    user_known_at = new.user_known_at,
    user_known_position = new.user_known_position
FROM unnest(
    CAST(:id AS bigint[]),
    CAST(:changed_at AS timestamptz[]),
    CAST(:user_id AS bigint[]),
    CAST(:user_known_at AS timestamptz[]),
    CAST(:user_known_position AS bigint[])
) AS new (id, changed_at, user_id, user_known_at, user_known_position)
WHERE cart.id = new.id;
