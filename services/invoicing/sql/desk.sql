-- name: list_unsent
-- Payable and in nobody's hands yet, in the order of the plan, with what their messages speak of.
SELECT invoice_records.*, made.show_name, made.show_date
FROM invoices AS made JOIN invoice_records ON invoice_records.id = made.id
WHERE made.show_id = $1 AND made.status = 'draft' AND made.draft_reason IS NULL
  AND NOT EXISTS (SELECT FROM deliveries WHERE invoice_id = made.id AND state IN ('queued', 'requested'))
  AND ($2::uuid IS NULL OR made.id > $2)
ORDER BY made.id
LIMIT $3;

-- name: count_unsent
SELECT count(*)::integer FROM invoices
WHERE show_id = $1 AND status = 'draft' AND draft_reason IS NULL
  AND NOT EXISTS (SELECT FROM deliveries WHERE invoice_id = invoices.id AND state IN ('queued', 'requested'));

-- name: list_opened_unpaid
-- Whose link in force was opened and can still be paid, the first to open it first.
SELECT invoice_records.*, pay_links.opened_count, pay_links.first_opened_at
FROM pay_links JOIN invoice_records
  ON invoice_records.show_id = pay_links.show_id AND invoice_records.buyer_id = pay_links.buyer_id
WHERE pay_links.show_id = $1 AND revoked_at IS NULL AND opened_count > 0
  AND (status IN ('sent', 'payment_failed') OR (status = 'draft' AND draft_reason IS NULL))
  AND ($2::timestamptz IS NULL OR (first_opened_at, invoice_records.id) > ($2, $3::uuid))
ORDER BY first_opened_at, invoice_records.id
LIMIT $4;
