-- name: sending_of_request
SELECT * FROM sendings WHERE workspace_id = $1 AND request_id = $2;

-- name: invoices_to_send
-- Without ids, all that are unsent and payable; `channels` are those in which a delivery is under way already.
SELECT id, provider, generation_id, status, coalesce(mailed_to, buyer ->> 'email') AS told_email,
       -- By row, never as a join: the planner may take a young show to have one invoice.
       (SELECT email FROM buyers WHERE buyers.id = invoices.buyer_id) AS email, under_way.channels
FROM invoices, LATERAL (
  SELECT array_agg(DISTINCT CASE WHEN state = 'queued' THEN 'queued' ELSE channel::text END) AS channels
  FROM deliveries WHERE invoice_id = invoices.id AND state IN ('queued', 'requested')
) AS under_way
WHERE show_id = $1
  AND CASE WHEN $2::uuid[] IS NULL THEN status = 'draft' AND draft_reason IS NULL ELSE id = ANY ($2) END
ORDER BY id;

-- name: one_invoice_of_each_provider
SELECT DISTINCT ON (provider) id FROM invoices
WHERE show_id = $1 AND ($2::uuid[] IS NULL OR id = ANY ($2))
ORDER BY provider, id DESC;

-- name: add_sending
INSERT INTO sendings (id, workspace_id, show_id, request_id, total_count, skipped_count, actor, request_digest)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (workspace_id, request_id) DO NOTHING
RETURNING *;

-- name: queue_deliveries
INSERT INTO deliveries (id, workspace_id, show_id, invoice_id, provider, external_account, livemode, channel, state,
                        reason, message, link, sending_id, template, pay_link_base, actor)
SELECT new.id, workspace_id, show_id, invoices.id, provider, external_account, livemode, new.channel::delivery_channel,
       'queued', '', '', '', $5, new.template, $6, $7
FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) AS new (id, invoice_id, channel, template)
JOIN invoices ON invoices.id = new.invoice_id;

-- name: sending_progress
SELECT sendings.*, counts.* FROM sendings, LATERAL (
  SELECT count(*) FILTER (WHERE state = 'queued') AS queued_count,
         count(*) FILTER (WHERE state = 'requested') AS requested_count,
         count(*) FILTER (WHERE state = 'delivered') AS delivered_count,
         count(*) FILTER (WHERE state = 'failed') AS failed_count,
         max(deliveries.finished_at) AS finished_at
  FROM deliveries WHERE sending_id = sendings.id
) AS counts
WHERE sendings.id = $1 AND workspace_id = $2;

-- name: running_sending
-- Out of the queue, which is empty as a rule.
SELECT sending_id FROM deliveries
WHERE state = 'queued' AND workspace_id = $1 AND show_id = $2 AND sending_id IS NOT NULL
ORDER BY sending_id DESC LIMIT 1;
