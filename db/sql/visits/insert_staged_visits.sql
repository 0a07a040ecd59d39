-- The staged visits that are not there yet, and their keys. The staging table has the columns of visit in its order.
INSERT INTO visit
SELECT visit_staging.*
FROM visit_staging
ORDER BY occurred_at, request_id
ON CONFLICT DO NOTHING
RETURNING occurred_at, request_id;
