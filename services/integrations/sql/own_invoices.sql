-- name: add_own_invoice
-- No row when it was added before, or when another one bears the number.
INSERT INTO own_invoices (
    workspace_id, provider, account_id, livemode, external_id, state, total, currency, number, invoice_id, revision,
    lines, payment_instructions, create_time, finalize_time
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT DO NOTHING
RETURNING *;

-- name: move_own_invoice
-- No row when it is in none of the states $6.
UPDATE own_invoices
SET state = $7,
    number = coalesce(nullif($8, ''), number),
    finalize_time = CASE WHEN $7 = 'open' THEN now() ELSE finalize_time END,
    paid_time = CASE WHEN $7 = 'paid' THEN now() END
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND external_id = $5
    AND state = ANY($6::text[])
RETURNING *;

-- name: rewrite_own_invoice
-- No row when it is no draft.
UPDATE own_invoices
SET total = $6, lines = $7
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND external_id = $5
    AND state = 'draft'
RETURNING *;

-- name: renew_own_invoice
-- No row when it is neither void nor deleted.
UPDATE own_invoices
SET state = 'draft', total = $6, currency = $7, lines = $8, payment_instructions = $9, create_time = $10,
    finalize_time = NULL
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND external_id = $5
    AND state IN ('void', 'deleted')
RETURNING *;

-- name: find_own_invoice
SELECT *
FROM own_invoices
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND external_id = $5;

-- name: list_own_invoices
-- Newest first; $7 is the last one of the page before.
SELECT *
FROM own_invoices
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4
    AND ($5::timestamptz IS NULL OR create_time >= $5)
    AND ($6::timestamptz IS NULL OR create_time <= $6)
    AND ($7 = '' OR (create_time, external_id) < (
        SELECT o.create_time, o.external_id
        FROM own_invoices o
        WHERE o.workspace_id = $1 AND o.provider = $2 AND o.account_id = $3 AND o.livemode = $4 AND o.external_id = $7
    ))
ORDER BY create_time DESC, external_id DESC
LIMIT $8;
