-- Select the live visits of [:since, :until) with all values that are not null as one row of arrays, oldest first; those
-- of text only if they are asked for. Keys of addresses are those of db/address_ids.py.
SELECT
    array_send(array_agg(live.occurred_at)) AS occurred,
    array_send(array_agg(live.address_key)) AS address,
    array_agg(host(live.address)) FILTER (WHERE live.address_key = -2) AS addresses,
    array_send(array_agg(live.category_id)) AS category,
    array_send(array_agg(live.user_id)) AS user_id,
    array_send(array_agg(live.agent_id) FILTER (WHERE CAST(:with_agent AS boolean))) AS agent,
    array_send(array_agg(live.referrer_id) FILTER (WHERE CAST(:with_referrer AS boolean))) AS referrer,
    array_agg(live.country) FILTER (WHERE CAST(:with_country AS boolean)) AS countries,
    array_agg(live.kind) FILTER (WHERE CAST(:with_kind AS boolean)) AS kinds,
    array_agg(live.page_url) FILTER (WHERE CAST(:with_page AS boolean)) AS urls
FROM (
    SELECT
        visit.occurred_at,
        visit.address,
        CASE
            WHEN visit.address IS NULL THEN -1
            WHEN family(visit.address) = 4 AND masklen(visit.address) = 32 THEN visit.address - inet '0.0.0.0'
            ELSE -2
        END AS address_key,
        coalesce(visit.category_id, 0) AS category_id,
        visit.user_id,
        visit.country,
        visit.kind,
        visit.page_url,
        coalesce(visit.agent_id, 0) AS agent_id,
        coalesce(visit.referrer_id, 0) AS referrer_id
    FROM live_visit AS visit
    WHERE
        (CAST(:since AS timestamptz) IS NULL OR visit.occurred_at >= :since)
        AND (CAST(:until AS timestamptz) IS NULL OR visit.occurred_at < :until)
        AND (CAST(:user_id AS bigint) IS NULL OR visit.user_id = :user_id)
        AND (CAST(:page_url AS text) IS NULL OR visit.page_url = :page_url)
        AND (CAST(:source AS text) IS NULL OR visit.source = :source)
        AND (CAST(:country AS text) IS NULL OR visit.country = :country)
        AND (CAST(:category_id AS int) IS NULL OR visit.category_id = :category_id)
        AND (CAST(:kind AS text) IS NULL OR visit.kind = :kind)
        AND (CAST(:is_bot AS boolean) IS NULL OR visit.is_bot = :is_bot)
        AND (CAST(:agent_ids AS int[]) IS NULL OR visit.agent_id = ANY(CAST(:agent_ids AS int[])))
        AND (CAST(:referrer_ids AS int[]) IS NULL OR visit.referrer_id = ANY(CAST(:referrer_ids AS int[])))
    ORDER BY visit.occurred_at
) AS live;
