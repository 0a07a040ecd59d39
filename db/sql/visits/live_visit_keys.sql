-- Select the keys of live visits of [:since, :until) before (:before_at, :before_id), with all values that are not null, as one
-- row of arrays, newest first.
SELECT
    array_send(array_agg(live.occurred_at)) AS occurred,
    array_send(array_agg(CAST(live.request_id AS uuid))) AS ids
FROM (
    SELECT
        visit.request_id,
        visit.occurred_at
    FROM live_visit AS visit
    WHERE
        (CAST(:since AS timestamptz) IS NULL OR visit.occurred_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR visit.occurred_at < :until)
        AND (
            CAST(:before_at AS timestamptz) IS NULL
            OR (visit.occurred_at, visit.request_id) < (:before_at, CAST(:before_id AS text))
        )
        AND (CAST(:user_id AS bigint) IS NULL OR visit.user_id = :user_id)
        AND (CAST(:page_url AS text) IS NULL OR visit.page_url = :page_url)
        AND (CAST(:source AS text) IS NULL OR visit.source = :source)
        AND (CAST(:country AS text) IS NULL OR visit.country = :country)
        AND (CAST(:category_id AS int) IS NULL OR visit.category_id = :category_id)
        AND (CAST(:kind AS text) IS NULL OR visit.kind = :kind)
        AND (CAST(:is_bot AS boolean) IS NULL OR visit.is_bot = :is_bot)
        AND (CAST(:agent_ids AS int[]) IS NULL OR visit.agent_id = ANY(CAST(:agent_ids AS int[])))
        AND (CAST(:referrer_ids AS int[]) IS NULL OR visit.referrer_id = ANY(CAST(:referrer_ids AS int[])))
    ORDER BY visit.occurred_at DESC, visit.request_id DESC
    LIMIT CAST(:limit AS bigint)
) AS live;
