-- name: find_accounts
-- Gives every account that has invoices its sweep: a walk from account to account along the index. The first reading
-- begins where the oldest unsettled invoice does, or a day before: the provider's clock is another.
WITH RECURSIVE accounts AS (
  (SELECT workspace_id, provider, external_account, livemode FROM invoices WHERE external_id <> ''
   ORDER BY workspace_id, provider, external_account, livemode LIMIT 1)
  UNION ALL
  SELECT next.* FROM accounts, LATERAL (
    SELECT workspace_id, provider, external_account, livemode FROM invoices
    WHERE external_id <> '' AND (workspace_id, provider, external_account, livemode)
      > (accounts.workspace_id, accounts.provider, accounts.external_account, accounts.livemode)
    ORDER BY workspace_id, provider, external_account, livemode LIMIT 1
  ) AS next
)
INSERT INTO sweeps (workspace_id, provider, external_account, livemode, read_until)
SELECT accounts.*, coalesce((
    SELECT min(invoices.created_at) FROM invoices
    WHERE (invoices.workspace_id, invoices.provider, invoices.external_account, invoices.livemode)
      = (accounts.workspace_id, accounts.provider, accounts.external_account, accounts.livemode)
      AND external_id <> '' AND status IN ('draft', 'sent', 'payment_failed', 'uncollectible')
  ), clock_timestamp()) - interval '1 day'
FROM accounts
WHERE NOT EXISTS (
  SELECT FROM sweeps
  WHERE (sweeps.workspace_id, sweeps.provider, sweeps.external_account, sweeps.livemode)
    = (accounts.workspace_id, accounts.provider, accounts.external_account, accounts.livemode)
)
ON CONFLICT DO NOTHING;

-- name: sweep_at_start
-- What was read within the last $1 seconds is not read again because yet another replica starts.
UPDATE sweeps SET due_at = clock_timestamp()
WHERE due_at > clock_timestamp() AND failure = ''
  AND coalesce(succeeded_at, '-infinity') < clock_timestamp() - make_interval(secs => $1);

-- name: take_sweep
-- One account whose reading is due, for $2 seconds this replica's alone. One that was cut off began when it first did.
UPDATE sweeps SET lease_owner = $1, lease_expires_at = clock_timestamp() + make_interval(secs => $2),
  tried_at = clock_timestamp(), began_at = CASE WHEN page_token = '' THEN clock_timestamp() ELSE began_at END
FROM (
  SELECT workspace_id, provider, external_account, livemode FROM sweeps
  WHERE due_at <= clock_timestamp() AND lease_expires_at <= clock_timestamp()
  ORDER BY due_at
  LIMIT 1
  FOR NO KEY UPDATE SKIP LOCKED
) AS due
WHERE (sweeps.workspace_id, sweeps.provider, sweeps.external_account, sweeps.livemode)
  = (due.workspace_id, due.provider, due.external_account, due.livemode)
RETURNING sweeps.*;

-- name: sweep_page
-- A page is applied: a reading that is cut off goes on from here. No row when the lease is another's by now.
UPDATE sweeps SET page_token = $6, newest = greatest(newest, $7),
  lease_expires_at = clock_timestamp() + make_interval(secs => $8),
  missed_at = CASE WHEN $9 THEN clock_timestamp() ELSE missed_at END
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND lease_owner = $5
RETURNING true;

-- name: sweep_done
-- $6 seconds until the next one while webhooks are missed, $7 while nothing is missed and nothing heard, $8 at the most.
-- Where nothing happened it was read too: up to $9 before the reading began, the provider's clock being another.
UPDATE sweeps SET read_until = greatest(read_until, newest, began_at - $9::interval), newest = NULL, began_at = NULL,
  page_token = '', lease_owner = NULL,
  lease_expires_at = '-infinity', succeeded_at = clock_timestamp(), failure = '', failure_count = 0, stuck_count = 0,
  due_at = clock_timestamp() + make_interval(secs => CASE
    WHEN missed_at > clock_timestamp() - make_interval(secs => $8) THEN $6
    ELSE least($8, greatest($7, extract(epoch FROM clock_timestamp() - coalesce(heard_at, created_at))::float8 / 4))
  END)
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND lease_owner = $5;

-- name: sweep_failed
-- Tried again after $7 seconds, twice as many with each failure, $8 at the most. A place that the provider does not know
-- any more ($9) is forgotten: the reading begins anew. What could be read but not noted ($10) is counted by itself.
-- That it was not connected, which $6 tells nothing of, makes no later rest longer.
UPDATE sweeps SET failure = $6, failure_count = failure_count + 1,
  stuck_count = stuck_count + $10::boolean::integer, lease_owner = NULL, lease_expires_at = '-infinity',
  due_at = clock_timestamp() + make_interval(secs => least(
    $8, $7 * 2 ^ CASE WHEN failure = '' THEN 0 ELSE least(failure_count, 20) END)),
  page_token = CASE WHEN $9 THEN '' ELSE page_token END, newest = CASE WHEN $9 THEN NULL ELSE newest END
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND lease_owner = $5;

-- name: note_heard
-- Webhooks arrive: the next reading can wait, for $5 seconds from now, but not for longer than $6 since the last one. While
-- some were missed lately, or after readings that failed, it does not wait.
UPDATE sweeps SET heard_at = clock_timestamp(),
  due_at = CASE WHEN failure_count > 0 OR succeeded_at IS NULL OR missed_at > clock_timestamp() - make_interval(secs => $6)
    THEN due_at
    ELSE greatest(due_at, least(clock_timestamp() + make_interval(secs => $5),
                                succeeded_at + make_interval(secs => $6)))
  END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[])
  AS told (workspace_id, provider, external_account, livemode)
WHERE sweeps.workspace_id = told.workspace_id AND sweeps.provider = told.provider::integration_provider
  AND sweeps.external_account = told.external_account AND sweeps.livemode = told.livemode;

-- name: get_sweep
SELECT * FROM sweeps WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4;

-- name: count_unpaid
-- Of an account: what buyers can pay. Among those that a schedule still reads, which the rest of them are left out of.
SELECT (count(*) FILTER (WHERE status <> 'uncollectible' AND draft_reason IS NULL))::integer
FROM invoices
WHERE status IN ('draft', 'sent', 'payment_failed', 'uncollectible') AND external_id <> ''
  AND workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4;

-- name: count_events
-- Of an account, within the last 24 hours; and how each came, where that was noted. By now(): no index is asked about a
-- clock that goes on meanwhile.
SELECT count(*)::integer AS event_count, (count(*) FILTER (WHERE NOT read))::integer AS told_count,
       (count(*) FILTER (WHERE read))::integer AS read_count
FROM provider_events
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4
  AND received_at > now() - interval '24 hours';

-- name: last_event
-- Of an account, within the last $5, but not within the last $6. By arrival, never by key: an account that was busy for years
-- has many.
SELECT event_type, received_at FROM provider_events
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4
  AND received_at > now() - $5::interval AND received_at <= now() - $6::interval
ORDER BY received_at DESC
LIMIT 1;

-- name: take_to_check
-- Unsettled invoices that are due. Taking them puts them off for $1 seconds: replicas take different ones, and one that
-- cannot be read now has its next turn with the others.
UPDATE invoices SET check_at = clock_timestamp() + make_interval(secs => $1)
FROM (
  SELECT id FROM invoices
  WHERE status IN ('draft', 'sent', 'payment_failed', 'uncollectible') AND external_id <> ''
    AND check_at <= clock_timestamp()
  ORDER BY check_at
  LIMIT $2
  FOR NO KEY UPDATE SKIP LOCKED
) AS due
WHERE invoices.id = due.id
RETURNING invoices.id, workspace_id, provider, external_account, livemode, external_id, status, created_at;

-- name: check_later
-- Unless it was replaced while it was read: the replacement is due at once.
UPDATE invoices SET check_at = clock_timestamp() + make_interval(secs => $2) WHERE id = $1 AND external_id = $3;

-- name: check_all_now
-- The provider does not remember everything that happened since the last reading: each invoice is read instead. Locked in
-- id order, as everybody does.
UPDATE invoices SET check_at = clock_timestamp()
FROM (
  SELECT id FROM invoices
  WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND external_id <> ''
    AND status IN ('draft', 'sent', 'payment_failed', 'uncollectible') AND check_at > clock_timestamp()
  ORDER BY id
  FOR NO KEY UPDATE
) AS locked
WHERE invoices.id = locked.id;

-- name: check_these_now
-- Of what happened to them something could not be noted. Locked in id order, as everybody does.
UPDATE invoices SET check_at = clock_timestamp()
FROM (
  SELECT id FROM invoices
  WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND external_id <> ''
    AND external_id = ANY ($5::text[]) AND status IN ('draft', 'sent', 'payment_failed', 'uncollectible')
  ORDER BY id
  FOR NO KEY UPDATE
) AS locked
WHERE invoices.id = locked.id;

-- name: void_of_these
-- No schedule reads void ones, but money may have come in for them.
SELECT id, external_id FROM invoices
WHERE workspace_id = $1 AND provider = $2 AND external_account = $3 AND livemode = $4 AND external_id <> ''
  AND external_id = ANY ($5::text[]) AND status = 'void';
