-- name: named_invoices
-- Invoices of a show by id, with what is under way with them.
SELECT invoice_records.*, made.change, coalesce(made.lease_expires_at > clock_timestamp(), false) AS held
FROM invoices AS made JOIN invoice_records ON invoice_records.id = made.id
WHERE made.show_id = $1 AND made.id = ANY ($2::uuid[]);

-- name: numbered_invoices
-- The same by the provider's number.
SELECT invoice_records.*, made.change, coalesce(made.lease_expires_at > clock_timestamp(), false) AS held
FROM invoices AS made JOIN invoice_records ON invoice_records.id = made.id
WHERE made.show_id = $1 AND made.number = ANY ($2::text[]);

-- name: providers_of_show
SELECT DISTINCT provider FROM invoices WHERE show_id = $1 AND workspace_id = $2;

-- name: add_marking_run
INSERT INTO generations (id, workspace_id, show_id, state, plan_hash, total_count, unchanged_count, skipped_buyers, actor,
                         change_count, marks_paid)
VALUES ($1, $2, $3, 'running', '', $4, 0, '[]', $5, $4, true)
RETURNING *;

-- name: grow_run
-- More of the same transaction: nobody has seen the run yet.
UPDATE generations SET total_count = total_count + $2, change_count = change_count + $2 WHERE id = $1 RETURNING *;

-- name: queue_marks
-- The invoice's own row is the queue entry. Answers those that could be queued; the rows must be locked.
WITH told AS (
  SELECT * FROM unnest($2::uuid[], $3::text[]) AS told (id, note)
), queued AS (
  UPDATE invoices
  SET change = 'mark_paid', tries = 0, first_attempt_at = NULL, not_before = '-infinity'
  FROM told
  WHERE invoices.id = told.id AND change IS NULL AND coalesce(lease_expires_at < clock_timestamp(), true)
  RETURNING invoices.id, total, planned_digest, beside_total, note
)
INSERT INTO planned_changes (invoice_id, generation_id, total, line_items, line_count, unpriced_count, planned_digest,
                             beside_total, buyer, note)
SELECT id, $1, total, '[]', 0, 0, planned_digest, beside_total, '{}', note FROM queued
RETURNING invoice_id;

-- name: planned_mark
-- A mark as it was asked for, and by whom.
SELECT total, note, asked, actor FROM planned_changes JOIN generations ON generations.id = generation_id
WHERE invoice_id = $1 AND generation_id = $2;

-- name: ask_for_mark
UPDATE planned_changes SET asked = true, asked_at = coalesce(asked_at, clock_timestamp())
WHERE invoice_id = $1 AND generation_id = $2
RETURNING asked_at;

-- name: note_paid_outside
UPDATE invoices SET paid_outside = $2 WHERE id = $1;
