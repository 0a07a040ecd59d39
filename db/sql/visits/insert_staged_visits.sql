-- Insert the staged visits that are new, and return their keys. The columns of both tables have the same order.
INSERT INTO visit
SELECT visit_staging.*
FROM visit_staging
ORDER BY occurred_at, request_id
ON CONFLICT DO NOTHING
RETURNING occurred_at, request_id;
