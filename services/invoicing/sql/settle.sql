-- name: match_events
-- The invoice that each event is about, within the workspace, account and mode whose secret verified it: by the provider's
-- id, by that of the invoice that it replaces at the provider, or by our id from the provider's metadata. An invoice that
-- has a counterpart is not moved by a copy of it. Where several are found, the last counts. Beside it whether the event is in
-- the inbox already.
WITH told AS (
  SELECT * FROM unnest($1::integer[], $2::uuid[], $3::text[], $4::text[], $5::boolean[], $6::uuid[], $7::text[], $8::text[],
                       $9::text[])
    AS told (place, workspace_id, provider, external_account, livemode, invoice_id, external_id, replaces, event_id)
), found AS (
  SELECT told.place, invoices.id, 1 AS rank FROM told
  JOIN invoices ON invoices.id = told.invoice_id
  WHERE invoices.external_id = '' AND invoices.workspace_id = told.workspace_id
    AND invoices.provider = told.provider::integration_provider AND invoices.external_account = told.external_account
    AND invoices.livemode = told.livemode
  UNION ALL
  SELECT told.place, invoices.id, named.rank FROM told
  CROSS JOIN LATERAL (VALUES (told.replaces, 2), (told.external_id, 3)) AS named (external_id, rank)
  JOIN invoices ON invoices.workspace_id = told.workspace_id
    AND invoices.provider = told.provider::integration_provider AND invoices.external_account = told.external_account
    AND invoices.livemode = told.livemode AND invoices.external_id = named.external_id
  WHERE named.external_id <> '' AND invoices.external_id <> ''
)
SELECT told.place, found.id,
       -- By row, never as a join: a plan made while the inbox was small would read all of it for ever.
       coalesce((
         SELECT true FROM provider_events
         WHERE provider_events.workspace_id = told.workspace_id
           AND provider_events.provider = told.provider::integration_provider
           AND provider_events.external_account = told.external_account
           AND provider_events.livemode = told.livemode AND provider_events.event_id = told.event_id
       ), false) AS known
FROM told
LEFT JOIN found ON found.place = told.place
ORDER BY told.place, found.rank;

-- name: add_events
-- Fewer rows than were given where somebody else wrote one of these events meanwhile.
INSERT INTO provider_events (workspace_id, provider, external_account, livemode, event_id, event_type, occurred_at,
                             invoice_id, outcome, read)
SELECT workspace_id, provider::integration_provider, external_account, livemode, event_id, event_type, occurred_at,
       invoice_id, outcome, read
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::boolean[], $5::text[], $6::text[], $7::timestamptz[], $8::uuid[],
            $9::text[], $10::boolean[])
  AS told (workspace_id, provider, external_account, livemode, event_id, event_type, occurred_at, invoice_id, outcome, read)
ON CONFLICT DO NOTHING;
