"""The events for the benchmarks of pages and exports. BENCH_EVENTS sets their number."""

import os
from contextlib import AbstractContextManager

from bench.many_rows import Served, serve_many_rows

EVENTS = int(os.environ.get("BENCH_EVENTS", "5000000"))
# 90 days, 20 types of which the first are the most frequent, and a hundred thousand users. The table is in
# the order of arrival: events arrive within a minute, one in a hundred up to a day late.
INSERT = """
INSERT INTO event (event_id, user_id, event_type, occurred_at, properties)
SELECT
    gen_random_uuid(),
    (random() * random() * 100000)::bigint,
    'type_' || (random() * random() * 20)::int,
    timestamptz '2026-01-01 00:00Z'
        + number::float8 / $1::int * interval '90 days'
        - random() * CASE WHEN number % 100 = 0 THEN interval '1 day' ELSE interval '1 minute' END,
    jsonb_build_object(
        'plan', (ARRAY['free', 'pro', 'team'])[1 + (random() * 2)::int],
        'amount', (random() * 1000)::int,
        'page', '/p/' || (random() * 500)::int,
        'order', number
    )
FROM generate_series(1, $1::int) AS number
"""
# What the statement that stores events writes beside them.
COLUMNS_OF_EVENTS = """
INSERT INTO event_batch (first_at, events, occurred, user_id, event_type)
SELECT min(occurred_at), count(*), array_agg(occurred_at), array_agg(user_id), array_agg(event_type)
FROM (
    SELECT occurred_at, user_id, event_type, (row_number() OVER (ORDER BY occurred_at) - 1) / 50000 AS number
    FROM event
) AS numbered
GROUP BY number
ORDER BY number
"""


def serve_many_events() -> AbstractContextManager[Served]:
    return serve_many_rows("event", [INSERT, COLUMNS_OF_EVENTS], EVENTS)
