-- name: lock_invoices
-- What the view invoice_records shows, of rows that are locked; in id order, so that groups do not wait for each other in
-- a circle. A view's rows cannot be locked alone, and what was read before the lock may be old.
SELECT invoices.id, invoices.workspace_id, invoices.show_id, invoices.buyer_id, generation_id, platform, platform_user_id,
       handle, display_name, email, status, draft_reason, status_reason, total, currency,
       line_count, unpriced_count, revision, attempt, version, provider, external_account, livemode, external_id,
       external_url, external_url_at, provider_url, number, adjusted_at_provider, paid_at, sent_at, send_count,
       invoices.created_at, updated_at,
       -- By row, never as a join: before statistics catch up with a big run, the planner takes a show to have one link.
       (SELECT token FROM pay_links
        WHERE pay_links.show_id = invoices.show_id AND pay_links.buyer_id = invoices.buyer_id AND revoked_at IS NULL
       ) AS pay_token,
       coalesce(mailed_to, buyer ->> 'email', '') AS told_email,
       paid_outside
FROM invoices
JOIN buyers ON buyers.id = invoices.buyer_id
WHERE invoices.id = ANY ($1::uuid[])
ORDER BY invoices.id
FOR NO KEY UPDATE OF invoices;

-- name: get_invoice
SELECT invoice_records.*, line_items
FROM invoice_records JOIN invoices USING (id)
WHERE id = $1 AND invoices.show_id = $2 AND invoices.workspace_id = $3;

-- name: list_history
SELECT version, from_status, to_status, reason, actor, provider_request, created_at FROM invoice_history
WHERE invoice_id = $1
ORDER BY version;

-- name: write_changes
-- One row for each invoice: its last state in this transaction. line_items is NULL where the lines stay. What was replaced
-- at the provider is read from there at once. Whoever keeps an invoice for a change keeps it until its status moves: what
-- others write of it meanwhile frees nothing. Beside it the history of each step.
WITH history AS (
  INSERT INTO invoice_history (invoice_id, version, from_status, to_status, reason, actor, provider_request)
  SELECT invoice_id, version, from_status::invoice_status, to_status::invoice_status, reason, actor, provider_request
  FROM unnest($22::uuid[], $23::bigint[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[])
    AS change (invoice_id, version, from_status, to_status, reason, actor, provider_request)
)
UPDATE invoices
SET status = new.status::invoice_status, draft_reason = new.draft_reason::draft_reason, status_reason = new.status_reason,
    total = new.total, line_items = coalesce(new.line_items::jsonb, invoices.line_items), line_count = new.line_count,
    unpriced_count = new.unpriced_count, version = new.version, external_id = new.external_id,
    external_url = new.external_url, external_url_at = new.external_url_at, provider_url = new.provider_url,
    number = new.number, adjusted_at_provider = new.adjusted_at_provider, paid_at = new.paid_at, sent_at = new.sent_at,
    send_count = new.send_count, updated_at = new.updated_at, paid_outside = new.paid_outside,
    mailed_to = nullif(new.told_email, coalesce(invoices.buyer ->> 'email', '')),
    check_at = CASE WHEN invoices.external_id NOT IN ('', new.external_id) THEN '-infinity' ELSE invoices.check_at END,
    lease_owner = CASE WHEN new.status = invoices.status::text OR change IS NOT NULL THEN invoices.lease_owner END,
    lease_expires_at = CASE WHEN new.status = invoices.status::text OR change IS NOT NULL
      THEN invoices.lease_expires_at END
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::integer[], $8::integer[],
            $9::bigint[], $10::text[], $11::text[], $12::timestamptz[], $13::text[], $14::text[], $15::boolean[],
            $16::timestamptz[], $17::timestamptz[], $18::integer[], $19::timestamptz[], $20::text[], $21::text[])
  AS new (id, status, draft_reason, status_reason, total, line_items, line_count, unpriced_count, version, external_id,
          external_url, external_url_at, provider_url, number, adjusted_at_provider, paid_at, sent_at, send_count,
          updated_at, told_email, paid_outside)
WHERE invoices.id = new.id;

-- name: write_history
INSERT INTO invoice_history (invoice_id, version, from_status, to_status, reason, actor, provider_request)
SELECT invoice_id, version, from_status::invoice_status, to_status::invoice_status, reason, actor, provider_request
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS change (invoice_id, version, from_status, to_status, reason, actor, provider_request);

-- name: lock_shows_of_runs
-- Before the runs, as everybody does: their progress is told in the show.
SELECT FROM shows WHERE id IN (SELECT show_id FROM generations WHERE id = ANY ($1::uuid[])) ORDER BY id FOR NO KEY UPDATE;

-- name: count_results
-- Counts what became of a run's invoices; says where progress is due to be told. A change that was dropped is none that
-- the run set out to make. The rate is an average in which a result weighs less the older it is (ten seconds: a third);
-- taken further with each count, it costs no look back.
UPDATE generations
SET created_count = created_count + result.created, failed_count = failed_count + result.failed,
    draft_count = draft_count + result.held_back, cancelled_count = cancelled_count + result.cancelled,
    total_count = total_count - result.dropped, change_count = change_count - result.dropped,
    unchanged_count = unchanged_count + result.dropped,
    rate = rate * exp(-greatest(extract(epoch FROM clock_timestamp() - rated_at), 0) / 10)
      + (result.created + result.failed) / 10.0,
    rated_at = clock_timestamp(),
    reported_at = CASE WHEN reported_at < clock_timestamp() - interval '250 milliseconds'
      THEN clock_timestamp() ELSE reported_at END,
    state = CASE WHEN created_count + failed_count + cancelled_count + result.done >= total_count AND state = 'running' THEN 'finished' ELSE state END,
    finished_at = CASE WHEN created_count + failed_count + cancelled_count + result.done >= total_count
      THEN coalesce(finished_at, clock_timestamp()) ELSE finished_at END
FROM (
  SELECT id, created, failed, held_back, dropped, cancelled, created + failed + dropped + cancelled AS done
  FROM unnest($1::uuid[], $2::integer[], $3::integer[], $4::integer[], $5::integer[], $6::integer[])
    AS counted (id, created, failed, held_back, dropped, cancelled)
) AS result
WHERE generations.id = result.id
RETURNING generations.*, reported_at >= statement_timestamp() AS report_due,
  finished_at >= statement_timestamp() AS finished_now;
