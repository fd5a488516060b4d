-- name: fail_unreported
-- Ends deliveries that were handed over longer than $1 ago and of which nothing was heard, $3 of them at the most. Whoever
-- reports one at this moment is not waited for.
UPDATE deliveries SET state = 'failed', reason = $2, finished_at = clock_timestamp()
FROM (
  SELECT id FROM deliveries
  WHERE state = 'requested' AND coalesce(first_try_at, created_at) < clock_timestamp() - $1::interval
  ORDER BY coalesce(first_try_at, created_at)
  LIMIT $3
  FOR NO KEY UPDATE SKIP LOCKED
) AS late
WHERE deliveries.id = late.id
RETURNING deliveries.id;

-- name: forget_events
-- Events that were about no invoice of ours and came longer than $1 ago, $2 of them at the most.
DELETE FROM provider_events
WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM provider_events
  WHERE invoice_id IS NULL AND received_at < clock_timestamp() - $1::interval
  ORDER BY received_at
  LIMIT $2
  FOR UPDATE SKIP LOCKED
))
RETURNING event_id;
