-- name: making
-- How far the making of an invoice is. The row must be locked.
SELECT buyer, change IS NOT NULL OR coalesce(lease_expires_at > clock_timestamp(), false) AS under_way,
       status = 'pending' AND attempt = 1 AND first_attempt_at IS NULL AS unbegun
FROM invoices WHERE id = $1;

-- name: hold_invoice
-- Keeps workers, retries and other amendments away for so many seconds; whoever dies holding it, it lapses.
UPDATE invoices SET lease_owner = $2, lease_expires_at = clock_timestamp() + make_interval(secs => $3) WHERE id = $1;

-- name: release_soon
-- After so many seconds at the latest.
UPDATE invoices SET lease_expires_at = least(lease_expires_at, clock_timestamp() + make_interval(secs => $3))
WHERE id = $1 AND lease_owner = $2;

-- name: release_invoice
UPDATE invoices SET lease_owner = NULL, lease_expires_at = NULL WHERE id = $1 AND lease_owner = $2;

-- name: bills
-- Whether the invoice bills what was owed under this digest, whether the provider has it or not.
SELECT planned_digest IN ($2, $3) FROM invoices WHERE id = $1;

-- name: get_order
-- An invoice as its provider is told of it.
SELECT id, workspace_id, provider, external_account, livemode, show_id, revision, attempt,
       coalesce(first_attempt_at, created_at) AS first_attempt_at, tries, buyer, currency, line_items, total,
       draft_reason IS NOT NULL AS keep_draft, show_name, show_date
FROM invoices WHERE id = $1;

-- name: has_history
SELECT EXISTS (SELECT FROM invoice_history WHERE invoice_id = $1 AND reason = $2 AND actor = $3);

-- name: owed_now
SELECT * FROM rollups WHERE show_id = $1 AND buyer_id = ANY ($2::uuid[]);
