-- name: verify_invoices
-- Every invoice of a show with its buyer's labels, void ones too. Lists of providers tell the lines of short invoices alone,
-- so that those of long ones are not unpacked.
SELECT invoices.id, invoices.workspace_id, buyer_id, platform, platform_user_id, handle, display_name, email,
       '' AS pay_token, status, draft_reason, total, revision, provider, external_account, livemode, external_id,
       adjusted_at_provider, planned_digest, created_at,
       CASE WHEN line_count <= 10 AND status <> 'void' THEN ARRAY(
         SELECT (line ->> 'amount')::bigint FROM jsonb_array_elements(line_items) AS line ORDER BY 1
       ) END AS amounts
FROM invoices
JOIN buyers ON buyers.id = invoices.buyer_id
WHERE show_id = $1;

-- name: verify_places
-- Where invoices of a show were begun before they were moved.
SELECT invoice_id, shows.workspace_id, provider, external_account, livemode
FROM invoice_places
JOIN shows ON shows.id = invoice_places.show_id
WHERE show_id = $1;

-- name: known_invoices
SELECT id FROM invoices WHERE workspace_id = $1 AND id = ANY ($2::uuid[]);
