-- name: named_invoices
-- Invoices of a show by id, with what is under way with them.
SELECT invoice_records.*, made.change, coalesce(made.lease_expires_at > clock_timestamp(), false) AS held
FROM invoices AS made JOIN invoice_records ON invoice_records.id = made.id
WHERE made.show_id = $1 AND made.id = ANY ($2::uuid[]);

-- name: numbered_invoices
-- The same by the provider's number.
SELECT invoice_records.*, made.change, coalesce(made.lease_expires_at > clock_timestamp(), false) AS held
FROM (SELECT DISTINCT number FROM unnest($2::text[]) AS told (number)) AS told
JOIN invoices AS made ON made.show_id = $1 AND made.number = told.number
JOIN invoice_records ON invoice_records.id = made.id;

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
SELECT total, note, actor FROM planned_changes JOIN generations ON generations.id = generation_id
WHERE invoice_id = $1 AND generation_id = $2;

-- name: ask_for_mark
-- The provider is told of it from now on. One that was asked for over another total, or of another of its invoices, was of
-- one that is replaced, and one without a try reached nobody: it begins anew.
INSERT INTO asked_marks (invoice_id, note, actor, total, external_id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (invoice_id) DO UPDATE SET
  note = excluded.note, actor = excluded.actor, total = excluded.total, external_id = excluded.external_id,
  tried_at = excluded.tried_at,
  asked_at = CASE WHEN asked_marks.tries > 0 AND asked_marks.total = excluded.total
      AND asked_marks.external_id IN ('', excluded.external_id)
    THEN asked_marks.asked_at ELSE excluded.asked_at END,
  tries = CASE WHEN asked_marks.total = excluded.total AND asked_marks.external_id IN ('', excluded.external_id)
    THEN asked_marks.tries ELSE 0 END + 1;

-- name: ask_about_mark
-- Once more, of an invoice that is paid, where a try of its mark was not answered. It counts as a try, to be taken back as
-- others are; what is paid it cannot mark, so the time of the last one stays.
UPDATE asked_marks SET tries = tries + 1
WHERE invoice_id = $1 AND tries > 0 AND total = $2 AND external_id IN ('', $3)
RETURNING *;

-- name: take_try_back
-- The provider did nothing about this try; about none of them ($2), where it said so of the invoice.
UPDATE asked_marks SET tries = CASE WHEN $2 THEN 0 ELSE greatest(tries - 1, 0) END WHERE invoice_id = $1;

-- name: asked_marks
SELECT * FROM asked_marks WHERE invoice_id = ANY ($1::uuid[]) AND tries > 0;

-- name: end_ask
-- It is known what became of it.
DELETE FROM asked_marks WHERE invoice_id = $1 RETURNING *;
