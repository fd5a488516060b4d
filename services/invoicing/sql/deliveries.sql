-- name: delivery_of_request
SELECT * FROM deliveries WHERE workspace_id = $1 AND request_id = $2;

-- name: add_delivery
INSERT INTO deliveries (id, workspace_id, invoice_id, channel, state, reason, message, link, request_id, actor)
VALUES ($1, $2, $3, $4, $5, '', $6, $7, $8, $9)
ON CONFLICT (workspace_id, request_id) DO NOTHING
RETURNING *;

-- name: finish_delivery
UPDATE deliveries SET state = $2, reason = $3 WHERE id = $1 AND state = 'requested' RETURNING *;

-- name: get_delivery
SELECT * FROM deliveries WHERE id = $1;

-- name: resolve_pay_link
-- The newest invoice behind a link: one that stands before one that is void. Without invoice the show and buyer alone.
SELECT pay_links.show_id, pay_links.buyer_id, shows.workspace_id, shows.name AS show_name, buyers.handle,
       newest.id AS invoice_id
FROM pay_links
JOIN shows ON shows.id = pay_links.show_id
JOIN buyers ON buyers.id = pay_links.buyer_id
LEFT JOIN LATERAL (
  SELECT id FROM invoices
  WHERE invoices.show_id = pay_links.show_id AND invoices.buyer_id = pay_links.buyer_id
  ORDER BY status = 'void', revision DESC
  LIMIT 1
) AS newest ON true
WHERE pay_links.token = $1 AND pay_links.revoked_at IS NULL;

-- name: count_opening
UPDATE pay_links
SET opened_count = opened_count + 1, first_opened_at = coalesce(first_opened_at, clock_timestamp())
WHERE token = $1 AND revoked_at IS NULL;
