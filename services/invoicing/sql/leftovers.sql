-- name: add_leftover
-- What came of a call for an invoice that something else counts for, or nothing.
INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (invoice_id, provider, external_account, livemode, external_id)
DO UPDATE SET look_at = excluded.look_at, tries = 0;

-- name: take_leftovers
-- Those that are due. Taking them puts them off for $1 seconds: replicas take different ones.
UPDATE leftovers SET look_at = clock_timestamp() + make_interval(secs => $1), tries = leftovers.tries + 1
FROM (
  SELECT invoice_id, provider, external_account, livemode, external_id FROM leftovers
  WHERE look_at <= clock_timestamp()
  ORDER BY look_at
  LIMIT $2
  FOR NO KEY UPDATE SKIP LOCKED
) AS due
JOIN invoices ON invoices.id = due.invoice_id
WHERE (leftovers.invoice_id, leftovers.provider, leftovers.external_account, leftovers.livemode, leftovers.external_id)
  = (due.invoice_id, due.provider, due.external_account, due.livemode, due.external_id)
RETURNING leftovers.*, workspace_id, revision, buyer;

-- name: look_later
UPDATE leftovers SET look_at = clock_timestamp() + make_interval(secs => $6)
WHERE invoice_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND external_id = $5;

-- name: rest_leftovers
-- What is due of a workspace's account that cannot be asked, for $5 seconds: others' must not wait behind it.
UPDATE leftovers SET look_at = clock_timestamp() + make_interval(secs => $5)
FROM invoices
WHERE invoices.id = invoice_id AND workspace_id = $1 AND leftovers.provider = $2::integration_provider
  AND leftovers.external_account = $3 AND leftovers.livemode = $4
  AND look_at <= clock_timestamp() + make_interval(secs => $5);

-- name: end_leftover
-- Not one that was noted anew since it was taken.
DELETE FROM leftovers
WHERE invoice_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND external_id = $5 AND tries = $6;

-- name: count_leftovers
-- What is looked for, since how many seconds the oldest of it, and payments that count for nothing and nobody settled.
SELECT count(*)::integer AS waiting,
       coalesce(extract(epoch FROM clock_timestamp() - min(noted_at)), 0)::float8 AS oldest,
       (SELECT count(*) FROM stray_payments WHERE settled_at IS NULL)::integer AS stray
FROM leftovers;
