-- name: delivery_of_request
SELECT * FROM deliveries WHERE workspace_id = $1 AND request_id = $2;

-- name: add_delivery
-- Of the account that the invoice is of. Leased to whoever asked, for so many seconds.
INSERT INTO deliveries (id, workspace_id, show_id, invoice_id, provider, external_account, livemode, channel, state,
                        reason, message, link, request_id, template, pay_link_base, actor, lease_owner,
                        lease_expires_at, first_try_at)
SELECT $1, workspace_id, show_id, id, provider, external_account, livemode, $3, 'queued', '', '', '', $4, $5, $6, $7, $8,
       clock_timestamp() + make_interval(secs => $9), clock_timestamp()
FROM invoices WHERE id = $2
ON CONFLICT (workspace_id, request_id) DO NOTHING
RETURNING *;

-- name: finish_delivery
-- What became of it, with the message that was made for it. Once: whoever comes second gets no row.
UPDATE deliveries
SET state = $2, reason = $3, message = $4, link = $5, lease_owner = NULL, lease_expires_at = NULL,
    finished_at = CASE WHEN $2 <> 'requested'::delivery_state THEN clock_timestamp() END
WHERE id = $1 AND state = 'queued'
RETURNING *;

-- name: get_delivery
SELECT * FROM deliveries WHERE id = $1;

-- name: requested_delivery
SELECT id, invoice_id FROM deliveries WHERE id = $1 AND workspace_id = $2 AND channel = 'dm' AND state <> 'queued';

-- name: report_delivery
-- A message that did arrive beats a failure that was reported before; nothing else moves what was reported.
UPDATE deliveries SET state = $2, reason = $3, finished_at = clock_timestamp()
WHERE id = $1 AND (state = 'requested' OR (state = 'failed' AND $2 = 'delivered'::delivery_state))
RETURNING id;

-- name: list_deliveries_of_invoice
SELECT * FROM deliveries WHERE invoice_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3;

-- name: list_deliveries_of_sending
SELECT * FROM deliveries WHERE sending_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3;

-- name: sending_facts
-- What an invoice was made with: its show, and the address that the provider was told.
SELECT show_name, show_date, coalesce(mailed_to, buyer ->> 'email') AS told_email FROM invoices WHERE id = $1;

-- name: waiting_deliveries
-- The shows and accounts that have links to deliver just now, each with at most $1 counted: a walk from group to group
-- along the index of the queue.
WITH RECURSIVE groups AS (
  (SELECT workspace_id, provider, external_account, livemode, show_id FROM deliveries WHERE state = 'queued'
   ORDER BY workspace_id, provider, external_account, livemode, show_id LIMIT 1)
  UNION ALL
  SELECT next.* FROM groups, LATERAL (
    SELECT workspace_id, provider, external_account, livemode, show_id FROM deliveries
    WHERE state = 'queued' AND (workspace_id, provider, external_account, livemode, show_id)
      > (groups.workspace_id, groups.provider, groups.external_account, groups.livemode, groups.show_id)
    ORDER BY workspace_id, provider, external_account, livemode, show_id LIMIT 1
  ) AS next
)
SELECT groups.*, ready.count FROM groups, LATERAL (
  SELECT count(*) FROM (
    SELECT FROM deliveries
    WHERE state = 'queued' AND (workspace_id, provider, external_account, livemode, show_id)
      = (groups.workspace_id, groups.provider, groups.external_account, groups.livemode, groups.show_id)
      AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp()) AND not_before <= clock_timestamp()
    LIMIT $1
  ) AS found
) AS ready
WHERE ready.count > 0;

-- name: take_deliveries
-- Takes links to deliver, so many of each show and account, and leases them.
WITH taken AS (
  SELECT found.id
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::uuid[], $6::bigint[])
    AS wanted (workspace_id, provider, external_account, livemode, show_id, count),
  LATERAL (
    SELECT id FROM deliveries
    WHERE state = 'queued' AND workspace_id = wanted.workspace_id
      AND provider = wanted.provider::integration_provider AND external_account = wanted.external_account
      AND livemode = wanted.livemode AND show_id = wanted.show_id
      AND (lease_expires_at IS NULL OR lease_expires_at < clock_timestamp()) AND not_before <= clock_timestamp()
    ORDER BY id
    LIMIT wanted.count
    FOR NO KEY UPDATE SKIP LOCKED
  ) AS found
)
UPDATE deliveries
SET lease_owner = $7, lease_expires_at = clock_timestamp() + make_interval(secs => $8),
    first_try_at = coalesce(first_try_at, clock_timestamp())
FROM taken
WHERE deliveries.id = taken.id
RETURNING deliveries.*;

-- name: keep_delivery_leases
UPDATE deliveries SET lease_expires_at = clock_timestamp() + make_interval(secs => $3)
WHERE id = ANY ($1::uuid[]) AND lease_owner = $2 AND state = 'queued';

-- name: put_back_delivery
-- Gives a delivery back to the queue, not to be taken before a delay in seconds; the reason is why it waits.
UPDATE deliveries
SET lease_owner = NULL, lease_expires_at = NULL, not_before = clock_timestamp() + make_interval(secs => $3),
    tries = tries + $4, reason = $5
WHERE id = $1 AND lease_owner = $2 AND state = 'queued';

-- name: queue_automatic
-- Links that go out on their own, for whom the provider was told an address. One for each invoice, whatever happens. As the
-- run says that has it in hand: an event may be quicker than the worker of a change.
INSERT INTO deliveries (id, workspace_id, show_id, invoice_id, provider, external_account, livemode, channel, state,
                        reason, message, link, automatic, template, pay_link_base, actor)
SELECT new.id, invoices.workspace_id, invoices.show_id, invoices.id, provider, external_account, livemode, 'email',
       'queued', '', '', '', true, message_template, pay_link_base, 'worker:automatic_sending'
FROM unnest($1::uuid[], $2::uuid[]) AS new (id, invoice_id)
JOIN invoices ON invoices.id = new.invoice_id
LEFT JOIN planned_changes ON planned_changes.invoice_id = new.invoice_id
JOIN generations ON generations.id = coalesce(planned_changes.generation_id, invoices.generation_id)
WHERE coalesce(sends, automatic_sending) AND pay_link_base <> '' AND coalesce(mailed_to, invoices.buyer ->> 'email') <> ''
ON CONFLICT DO NOTHING;

-- name: keep_sending_terms
-- Without a base of its own, a generation takes that of the show's last one.
UPDATE generations
SET automatic_sending = $2, message_template = $3, sending_choice = $5,
    pay_link_base = coalesce(nullif($4, ''), (
      SELECT earlier.pay_link_base FROM generations AS earlier
      WHERE earlier.show_id = generations.show_id AND earlier.pay_link_base <> '' ORDER BY earlier.id DESC LIMIT 1
    ), '')
WHERE id = $1;

-- name: kept_choices
-- What was chosen when these invoices were asked for; NULL where nothing was.
SELECT invoices.id, coalesce(sends, sending_choice) AS choice
FROM invoices JOIN generations ON generations.id = generation_id
WHERE invoices.id = ANY ($1::uuid[]);

-- name: keep_own_choices
UPDATE invoices SET sends = own.sends
FROM unnest($1::uuid[], $2::boolean[]) AS own (id, sends)
WHERE invoices.id = own.id;

-- name: kept_template
SELECT message_template FROM generations WHERE id = $1;

-- name: resolve_pay_link
-- The newest invoice behind a link: one that stands before one that is void. Without invoice the show and buyer alone.
SELECT pay_links.show_id, pay_links.buyer_id, shows.workspace_id, shows.name AS show_name, buyers.handle,
       coalesce(shows.start_at, shows.created_at) AS show_at, newest.id AS invoice_id,
       EXISTS (
         SELECT FROM invoices AS earlier
         WHERE earlier.show_id = pay_links.show_id AND earlier.buyer_id = pay_links.buyer_id
           AND earlier.status = 'void' AND earlier.revision < newest.revision AND newest.status <> 'void'
       ) AS replaces_earlier,
       (SELECT coalesce(sum(paid.total), 0)::bigint FROM invoices AS paid
        WHERE paid.show_id = pay_links.show_id AND paid.buyer_id = pay_links.buyer_id
          AND paid.status = 'paid' AND paid.id <> newest.id
       ) AS paid_before
FROM pay_links
JOIN shows ON shows.id = pay_links.show_id
JOIN buyers ON buyers.id = pay_links.buyer_id
LEFT JOIN LATERAL (
  SELECT id, revision, status FROM invoices
  WHERE invoices.show_id = pay_links.show_id AND invoices.buyer_id = pay_links.buyer_id
  ORDER BY status = 'void', revision DESC
  LIMIT 1
) AS newest ON true
WHERE pay_links.token = $1 AND pay_links.revoked_at IS NULL;

-- name: count_opening
UPDATE pay_links
SET opened_count = opened_count + 1, first_opened_at = coalesce(first_opened_at, clock_timestamp())
WHERE token = $1 AND revoked_at IS NULL
RETURNING buyer_id, opened_count, first_opened_at;

-- name: openings
SELECT buyer_id, opened_count, first_opened_at FROM pay_links
WHERE show_id = $1 AND buyer_id = ANY ($2::uuid[]) AND revoked_at IS NULL;

-- name: failed_requests
-- Of invoices in error: what the provider called the request that failed last.
SELECT DISTINCT ON (invoice_id) invoice_id, provider_request FROM invoice_history
WHERE invoice_id = ANY ($1::uuid[]) AND to_status = 'error'
ORDER BY invoice_id, version DESC;

-- name: in_hand
-- Which of these invoices, that are to be made, a worker holds just now.
SELECT id FROM invoices WHERE id = ANY ($1::uuid[]) AND status = 'pending' AND lease_expires_at > clock_timestamp();

-- name: priced_since
-- Which of these buyers have a price for all that they won.
SELECT buyer_id
FROM claims JOIN show_items ON show_items.show_id = claims.show_id AND show_items.id = show_item_id
WHERE claims.show_id = $1 AND buyer_id = ANY ($2::uuid[]) AND status = 'winner'
GROUP BY buyer_id
HAVING bool_and(price IS NOT NULL);

-- name: invoices_of_buyer
SELECT id FROM invoices WHERE show_id = $1 AND buyer_id = $2;

-- name: revoke_pay_link
UPDATE pay_links SET revoked_at = clock_timestamp()
WHERE show_id = $1 AND buyer_id = $2 AND revoked_at IS NULL
RETURNING token;

-- name: add_pay_link
INSERT INTO pay_links (token, show_id, buyer_id) VALUES ($1, $2, $3);
