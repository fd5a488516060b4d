-- name: positions
-- Where each buyer of a show stands: what is owed beside what is invoiced. Full joins of finished lists keep the planner
-- from a nested loop over tables whose statistics lag behind a big import: that one takes minutes.
WITH here AS MATERIALIZED (
  SELECT currency, EXISTS (
    SELECT FROM shows AS other WHERE other.workspace_id = shows.workspace_id AND other.currency <> shows.currency
  ) AS beside_others
  FROM shows WHERE id = $1
), owed AS MATERIALIZED (
  SELECT buyer_id, total, claim_count, line_count, unpriced_count, digest FROM rollups WHERE show_id = $1
), made AS MATERIALIZED (
  SELECT buyer_id, max(revision) AS revision,
         sum(total) FILTER (WHERE status <> 'void') AS billed_total,
         sum(total) FILTER (WHERE status IN ('paid', 'uncollectible')) AS settled_total,
         count(*) FILTER (WHERE status IN ('paid', 'uncollectible')) AS settled_count,
         sum(total) FILTER (WHERE status = 'paid') AS paid_total,
         bool_or(adjusted_at_provider) FILTER (WHERE status IN ('paid', 'uncollectible')) AS settled_adjusted
  FROM invoices WHERE show_id = $1
  GROUP BY buyer_id
), newest AS MATERIALIZED (
  SELECT DISTINCT ON (buyer_id) buyer_id, id AS invoice_id, status, draft_reason, total AS own_total, planned_digest,
         beside_total, adjusted_at_provider, coalesce(mailed_to, buyer ->> 'email') AS told_email, provider, external_account, livemode,
         external_id <> '' AS stands, currency,
         change IS NOT NULL OR (status <> 'pending' AND lease_expires_at > clock_timestamp()) AS changing,
         coalesce(changing_digest, planned_digest) AS changing_digest
  FROM invoices LEFT JOIN (SELECT invoice_id, planned_digest AS changing_digest FROM planned_changes) AS under_way
    ON invoice_id = id
  WHERE show_id = $1 AND (status <> 'void' OR change IS NOT NULL)
  ORDER BY buyer_id, revision DESC
), links AS MATERIALIZED (
  SELECT buyer_id, token AS pay_token FROM pay_links WHERE show_id = $1 AND revoked_at IS NULL
), positions AS MATERIALIZED (
  SELECT * FROM owed FULL JOIN made USING (buyer_id) FULL JOIN newest USING (buyer_id) FULL JOIN links USING (buyer_id)
  WHERE line_count IS NOT NULL OR invoice_id IS NOT NULL
)
SELECT buyers.id, platform, platform_user_id, handle, display_name, email, pay_token,
       total, claim_count, line_count, unpriced_count, digest,
       coalesce(revision, 0) AS revision, coalesce(billed_total, 0)::bigint AS billed_total,
       coalesce(settled_total, 0)::bigint AS settled_total, coalesce(settled_count, 0) AS settled_count,
       coalesce(paid_total, 0)::bigint AS paid_total, coalesce(settled_adjusted, false) AS settled_adjusted,
       invoice_id, status, draft_reason, own_total, planned_digest, beside_total, adjusted_at_provider, told_email,
       provider, external_account, livemode, stands, changing, changing_digest,
       -- Asked of the show's own buyers, and of nobody where the workspace has one currency. Not EXISTS: the planner could
       -- hash all invoices for that.
       coalesce(positions.currency <> here.currency, false) OR (here.beside_others AND coalesce((
         SELECT true FROM invoices
         WHERE invoices.buyer_id = positions.buyer_id AND invoices.status <> 'void' AND invoices.currency <> here.currency
         LIMIT 1
       ), false)) AS other_currency
FROM positions
CROSS JOIN here
-- By row, never as a hash of all buyers that the workspaces ever had.
CROSS JOIN LATERAL (SELECT * FROM buyers WHERE buyers.id = positions.buyer_id OFFSET 0) AS buyers;

-- name: generation_of_request
SELECT * FROM generations WHERE workspace_id = $1 AND request_id = $2;

-- name: get_generation
SELECT * FROM generations WHERE id = $1 AND workspace_id = $2;

-- name: running_generation
SELECT * FROM generations WHERE show_id = $1 AND state = 'running' AND NOT marks_paid ORDER BY id DESC LIMIT 1;

-- name: add_generation
INSERT INTO generations (id, workspace_id, show_id, state, request_id, plan_hash, total_count, unchanged_count,
                         skipped_buyers, actor, change_count, request_digest, finished_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, CASE WHEN $4 = 'finished'::generation_state THEN clock_timestamp() END)
ON CONFLICT (workspace_id, request_id) DO NOTHING
RETURNING *;

-- name: prepare_big_join
-- For the next statement: the lists that it joins are longer than the planner believes, and they are sorted in memory.
SELECT set_config('enable_nestloop', 'off', true), set_config('work_mem', '64MB', true);

-- name: plan_by_size
-- For the statements that follow: by what they are given, be it one row or 20,000. A plan that is kept for any number would
-- go through all invoices for one, or through a list for each of many.
SELECT set_config('plan_cache_mode', 'force_custom_plan', true);

-- name: end_big_join
SELECT set_config('enable_nestloop', 'on', true);

-- name: add_pending_invoices
-- The whole queue of a run in one statement: pending invoices with their lines, pay links, first history. Answers how
-- many invoices were written.
WITH chosen AS MATERIALIZED (
  SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::integer[], $6::text[], $7::text[])
    AS chosen (buyer_id, id, draft_reason, revision, buyer, pay_token)
), owed AS MATERIALIZED (
  SELECT * FROM rollups WHERE show_id = $1
), linked AS (
  INSERT INTO pay_links (show_id, buyer_id, token)
  SELECT $1, buyer_id, pay_token FROM chosen
  ON CONFLICT DO NOTHING
), made AS (
  INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, draft_reason, total, currency, line_items,
                        line_count, unpriced_count, planned_digest, buyer, show_name, show_date, revision, provider,
                        integration_id, external_account, livemode)
  SELECT chosen.id, $8, $1, buyer_id, $9, chosen.draft_reason::draft_reason, owed.total, $10, owed.line_items,
         owed.line_count, owed.unpriced_count, owed.digest, chosen.buyer::jsonb, $11, $12, chosen.revision, $13,
         $14, $15, $16
  FROM chosen JOIN owed USING (buyer_id)
  ON CONFLICT DO NOTHING
  RETURNING id, version, status
), told AS (
  INSERT INTO invoice_history (invoice_id, version, from_status, to_status, reason, actor)
  SELECT id, version, NULL, status, 'It waits to be made at the provider.', $17 FROM made
)
SELECT count(*) FROM made;

-- name: waiting
-- The shows and accounts that have invoices to make just now, each with at most $1 counted: a walk from group to group
-- along the index of the queue, however long the queue of one show is.
WITH RECURSIVE groups AS (
  (SELECT workspace_id, provider, external_account, livemode, show_id FROM invoices
   WHERE status = 'pending' OR change IS NOT NULL
   ORDER BY workspace_id, provider, external_account, livemode, show_id LIMIT 1)
  UNION ALL
  SELECT next.* FROM groups, LATERAL (
    SELECT workspace_id, provider, external_account, livemode, show_id FROM invoices
    WHERE (status = 'pending' OR change IS NOT NULL) AND (workspace_id, provider, external_account, livemode, show_id)
      > (groups.workspace_id, groups.provider, groups.external_account, groups.livemode, groups.show_id)
    ORDER BY workspace_id, provider, external_account, livemode, show_id LIMIT 1
  ) AS next
)
SELECT groups.*, ready.count FROM groups, LATERAL (
  SELECT count(*) FROM (
    SELECT FROM invoices
    WHERE (status = 'pending' OR change IS NOT NULL) AND (workspace_id, provider, external_account, livemode, show_id)
      = (groups.workspace_id, groups.provider, groups.external_account, groups.livemode, groups.show_id)
      AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp()) AND not_before <= clock_timestamp()
    LIMIT $1
  ) AS found
) AS ready
WHERE ready.count > 0;

-- name: take
-- Takes invoices to make or to change, so many of each show and account, and leases them. What a change is to bring comes
-- in place of what the invoice has.
WITH taken AS (
  SELECT found.id
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::uuid[], $6::bigint[])
    AS wanted (workspace_id, provider, external_account, livemode, show_id, count),
  LATERAL (
    SELECT id FROM invoices
    WHERE (status = 'pending' OR change IS NOT NULL) AND workspace_id = wanted.workspace_id
      AND provider = wanted.provider::integration_provider AND external_account = wanted.external_account
      AND livemode = wanted.livemode AND show_id = wanted.show_id
      AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp()) AND not_before <= clock_timestamp()
    ORDER BY id
    LIMIT wanted.count
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS found
)
UPDATE invoices
SET lease_owner = $7, lease_expires_at = clock_timestamp() + make_interval(secs => $8),
    first_attempt_at = coalesce(first_attempt_at, clock_timestamp())
FROM taken LEFT JOIN planned_changes ON planned_changes.invoice_id = taken.id
WHERE invoices.id = taken.id
RETURNING invoices.id, workspace_id, provider, external_account, livemode, show_id, revision, attempt, first_attempt_at,
  tries, CASE WHEN change = 'edit_draft' THEN planned_changes.buyer ELSE invoices.buyer END AS buyer, currency,
  show_name, show_date, external_id, change, planned_changes.generation_id AS change_run,
  coalesce(planned_changes.line_items, invoices.line_items) AS line_items,
  coalesce(planned_changes.total, invoices.total) AS total,
  CASE WHEN change IS NULL THEN invoices.draft_reason ELSE planned_changes.draft_reason END IS NOT NULL AS keep_draft;

-- name: keep_leases
-- Rows that something else holds just now are passed over; there is time for another two beats.
WITH held AS (
  SELECT id FROM invoices WHERE id = ANY ($1::uuid[]) AND lease_owner = $2
    AND (status = 'pending' OR change IS NOT NULL)
  ORDER BY id FOR NO KEY UPDATE SKIP LOCKED
)
UPDATE invoices SET lease_expires_at = clock_timestamp() + make_interval(secs => $3)
FROM held WHERE invoices.id = held.id;

-- name: put_back
-- Gives an invoice back to the queue, not to be taken before a delay in seconds.
UPDATE invoices
SET lease_owner = NULL, lease_expires_at = NULL, not_before = clock_timestamp() + make_interval(secs => $3),
    tries = tries + $4
WHERE id = $1 AND lease_owner = $2 AND (status = 'pending' OR change IS NOT NULL);

-- name: holds_lease
SELECT EXISTS (SELECT FROM invoices WHERE id = $1 AND lease_owner = $2);

-- name: failed_providers
-- At which providers the making of invoices failed, before they are locked.
SELECT DISTINCT provider FROM invoices
WHERE show_id = $1 AND workspace_id = $2 AND status = 'error' AND ($3::uuid[] IS NULL OR id = ANY ($3));

-- name: lock_failed
-- Not those that another run makes anew.
SELECT id, buyer_id, provider FROM invoices
WHERE show_id = $1 AND workspace_id = $2 AND status = 'error' AND ($3::uuid[] IS NULL OR id = ANY ($3)) AND change IS NULL
  AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp())  -- else it is being voided just now
ORDER BY id
FOR NO KEY UPDATE;

-- name: await_turn_to_cancel
-- Two cancels of one run at once: the second would skip what the first has locked, and end the run with nothing left out.
-- No row is locked for it: rows are locked invoices first, the run last.
SELECT pg_advisory_xact_lock(hashtextextended('cancel ' || $1::uuid, 0));

-- name: lock_unbegun
-- Invoices of a run that no worker has looked at in their present attempt. One that a worker takes just now is begun.
-- What takes the place of a voided invoice belongs to what was begun.
SELECT id, change IS NOT NULL AS is_change FROM invoices
WHERE workspace_id = $2 AND show_id = $3 AND first_attempt_at IS NULL AND (
  status = 'pending' AND generation_id = $1 AND replaces_id IS NULL
  OR change IS NOT NULL AND id IN (SELECT invoice_id FROM planned_changes WHERE generation_id = $1)
)
ORDER BY id
FOR NO KEY UPDATE OF invoices SKIP LOCKED;

-- name: drop_changes
-- Takes changes of a run off the queue.
WITH dropped AS (
  DELETE FROM planned_changes WHERE generation_id = $1 AND invoice_id = ANY ($2::uuid[]) RETURNING invoice_id
)
UPDATE invoices SET change = NULL, lease_owner = NULL, lease_expires_at = NULL
FROM dropped WHERE invoices.id = dropped.invoice_id;

-- name: cancel_generation
UPDATE generations SET state = 'cancelled' WHERE id = $1 AND state = 'running' RETURNING *;
