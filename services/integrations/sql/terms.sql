-- name: fix_terms
-- No row when they were fixed before.
INSERT INTO invoice_terms (
    workspace_id, invoice_id, revision, attempt, memo, footer, days_until_due, payment_instructions
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT DO NOTHING
RETURNING true;

-- name: find_terms
SELECT memo, footer, days_until_due, payment_instructions
FROM invoice_terms
WHERE workspace_id = $1 AND invoice_id = $2 AND revision = $3 AND attempt = $4;
