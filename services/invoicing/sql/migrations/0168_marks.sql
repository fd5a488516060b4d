-- migrate:up
-- Marking an invoice as paid outside the provider is a change that the queue carries out, as others are.
ALTER TYPE invoice_change ADD VALUE 'mark_paid';

-- How it was paid outside the provider, where it was marked so: the note, or 'yes' without one.
ALTER TABLE invoices ADD COLUMN paid_outside text NOT NULL DEFAULT '';

-- note: of a mark. asked: the provider is told of it from now on, so a payment that is seen there may be the mark itself.
ALTER TABLE planned_changes
  ADD COLUMN note text NOT NULL DEFAULT '',
  ADD COLUMN asked boolean NOT NULL DEFAULT false;

-- The run marks what was paid outside the provider.
ALTER TABLE generations ADD COLUMN marks_paid boolean NOT NULL DEFAULT false;

CREATE OR REPLACE VIEW invoice_records AS
SELECT invoices.id, invoices.workspace_id, invoices.show_id, invoices.buyer_id, generation_id, platform, platform_user_id,
       handle, display_name, email, status, draft_reason, status_reason, total, currency,
       line_count, unpriced_count, revision, attempt, version, provider, external_account, livemode, external_id,
       external_url, external_url_at, provider_url, number, adjusted_at_provider, paid_at, sent_at, send_count,
       invoices.created_at, updated_at,
       -- By row, never as a join: before statistics catch up with a big run, the planner takes a show to have one link.
       (SELECT token FROM pay_links
        WHERE pay_links.show_id = invoices.show_id AND pay_links.buyer_id = invoices.buyer_id AND revoked_at IS NULL
       ) AS pay_token,
       coalesce(mailed_to, buyer ->> 'email', '') AS told_email,
       paid_outside
FROM invoices
JOIN buyers ON buyers.id = invoices.buyer_id;

-- migrate:down
