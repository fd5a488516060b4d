-- name: lock_unsettled
-- Before a run that may change invoices: all that it may find to change, locked in the order in which everybody locks.
SELECT id FROM invoices
WHERE show_id = $1 AND status NOT IN ('paid', 'void', 'uncollectible')
ORDER BY id
FOR NO KEY UPDATE;

-- name: lines_owed
SELECT buyer_id, line_items FROM rollups WHERE show_id = $1 AND buyer_id = ANY ($2::uuid[]);

-- name: settled_invoices
SELECT buyer_id, number, total, line_items, adjusted_at_provider FROM invoices
WHERE show_id = $1 AND buyer_id = ANY ($2::uuid[]) AND status IN ('paid', 'uncollectible')
ORDER BY buyer_id, revision;

-- name: add_supplements
-- Pending invoices beside what is settled, with lines of their own.
WITH told AS (
  SELECT * FROM unnest($11::uuid[], $12::uuid[], $13::bigint[], $14::text[], $15::integer[], $16::text[], $17::bigint[],
                       $18::text[], $19::integer[], $20::text[])
    AS told (id, buyer_id, total, line_items, line_count, digest, beside, buyer, revision, pay_token)
), linked AS (
  INSERT INTO pay_links (show_id, buyer_id, token)
  SELECT $1, buyer_id, pay_token FROM told
  ON CONFLICT DO NOTHING
)
INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, total, currency, line_items, line_count,
                      unpriced_count, planned_digest, beside_total, buyer, show_name, show_date, revision, provider,
                      integration_id, external_account, livemode)
SELECT told.id, $2, $1, told.buyer_id, $3, told.total, $4, told.line_items::jsonb, told.line_count, 0, told.digest,
       told.beside, told.buyer::jsonb, $5, $6, told.revision, $7, $8, $9, $10
FROM told
ON CONFLICT DO NOTHING
RETURNING id;

-- name: plan_changes
-- What invoices are to become; the invoice's own row is the queue entry, at its next version. Answers those that could be
-- queued. Lines that are not told are those that are owed now: they need not leave the database.
WITH told AS (
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::integer[], $7::integer[], $8::text[],
                       $9::bigint[], $10::text[], $11::text[], $12::uuid[])
    AS told (id, kind, total, line_items, line_count, unpriced_count, digest, beside, draft_reason, buyer, buyer_id)
), owed AS MATERIALIZED (
  SELECT buyer_id, line_items FROM rollups WHERE show_id = $13 AND buyer_id = ANY ($15::uuid[])
), queued AS (
  UPDATE invoices
  SET change = told.kind::invoice_change, sends = NULL, tries = 0, first_attempt_at = NULL, not_before = '-infinity',
      version = invoices.version + 1, updated_at = $14
  FROM told WHERE invoices.id = told.id AND invoices.change IS NULL
  RETURNING invoices.id
)
INSERT INTO planned_changes (invoice_id, generation_id, total, line_items, line_count, unpriced_count, planned_digest,
                             beside_total, draft_reason, buyer)
SELECT told.id, $1, told.total, coalesce(told.line_items::jsonb, owed.line_items, '[]'), told.line_count,
       told.unpriced_count, told.digest, told.beside, told.draft_reason::draft_reason, told.buyer::jsonb
FROM told JOIN queued USING (id) LEFT JOIN owed USING (buyer_id)
RETURNING invoice_id;

-- name: end_change
-- Takes a run's change off the queue; answers what it was to bring, or nothing when another worker was quicker. A draft
-- that is edited is of the run that edits it from then on: how its link goes out was chosen there last.
WITH ended AS (
  DELETE FROM planned_changes WHERE invoice_id = $1 AND generation_id = $2 RETURNING *
), freed AS (
  UPDATE invoices SET change = NULL, lease_owner = NULL, lease_expires_at = NULL,
                      generation_id = CASE WHEN change = 'edit_draft' THEN ended.generation_id ELSE invoices.generation_id END
  FROM ended WHERE invoices.id = ended.invoice_id
)
SELECT * FROM ended;

-- name: note_planned
-- What an invoice was brought to, as a later plan compares it.
UPDATE invoices SET planned_digest = $2, beside_total = $3 WHERE id = $1;

-- name: add_successor
-- The next revision in place of an invoice that was voided, as it was planned, for the same account.
INSERT INTO invoices (id, workspace_id, show_id, buyer_id, generation_id, draft_reason, total, currency, line_items,
                      line_count, unpriced_count, planned_digest, beside_total, buyer, show_name, show_date, revision,
                      provider, integration_id, external_account, livemode, sends, replaces_id)
SELECT $2, workspace_id, show_id, buyer_id, $3, $4::draft_reason, $5, currency, $6::jsonb, $7, $8, $9, $10, $11::jsonb,
       show_name, show_date,
       (SELECT max(revision) + 1 FROM invoices AS all_of_them
        WHERE all_of_them.show_id = invoices.show_id AND all_of_them.buyer_id = invoices.buyer_id),
       provider, integration_id, external_account, livemode, sends, id
FROM invoices WHERE id = $1
ON CONFLICT DO NOTHING
RETURNING id;

-- name: queue_again
-- Beside what the ledger writes: a new attempt, told with the buyer's present labels, for the present connection. For the
-- buyers in $11 with the lines that are owed now, which need not leave the database.
WITH owed AS MATERIALIZED (
  SELECT buyer_id, line_items FROM rollups WHERE show_id = $10 AND buyer_id = ANY ($11::uuid[])
)
UPDATE invoices
SET attempt = new.attempt, planned_digest = new.digest, beside_total = new.beside, generation_id = $3,
    first_attempt_at = NULL, tries = 0, not_before = '-infinity', sends = NULL,
    provider = $9::integration_provider, integration_id = $4, external_account = $5, livemode = $6,
    buyer = jsonb_build_object('platform', platform, 'platform_user_id', platform_user_id, 'handle', handle,
                               'display_name', display_name, 'email', email),
    line_items = coalesce(owed.line_items, invoices.line_items)
FROM unnest($1::uuid[], $2::integer[], $7::text[], $8::bigint[]) AS new (id, attempt, digest, beside),
     buyers LEFT JOIN owed ON owed.buyer_id = buyers.id
WHERE invoices.id = new.id AND buyers.id = invoices.buyer_id;
