-- name: add_stray_payment
-- Found again it stays as it is, settled or not.
INSERT INTO stray_payments
  (id, invoice_id, show_id, provider, external_account, livemode, external_id, total, currency, paid_at, provider_url)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT DO NOTHING;

-- name: list_stray_payments
-- The oldest first; with $2 those that are settled too.
SELECT stray_payments.*, handle, display_name, platform_user_id
FROM stray_payments
JOIN invoices ON invoices.id = invoice_id
JOIN buyers ON buyers.id = invoices.buyer_id
WHERE stray_payments.show_id = $1 AND ($2 OR settled_at IS NULL)
  AND ($3::timestamptz IS NULL OR (noted_at, stray_payments.id) > ($3, $4::uuid))
ORDER BY noted_at, stray_payments.id
LIMIT $5;

-- name: get_stray_payment
SELECT stray_payments.*, handle, display_name, platform_user_id
FROM stray_payments
JOIN invoices ON invoices.id = invoice_id
JOIN buyers ON buyers.id = invoices.buyer_id
WHERE stray_payments.id = $1 AND stray_payments.show_id = $2;

-- name: settle_stray_payment
UPDATE stray_payments SET settlement = $2, note = $3, settled_by = $4, settled_at = clock_timestamp()
WHERE id = $1 AND settled_at IS NULL;

-- name: settled_places
-- Where payments of a show came in that somebody settled.
SELECT shows.workspace_id, provider, external_account, livemode, external_id
FROM stray_payments JOIN shows ON shows.id = show_id
WHERE show_id = $1 AND settled_at IS NOT NULL;
