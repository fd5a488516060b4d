-- migrate:up
-- Where the provider would mail it, as it says once it is finalized, where that is another address than the one it was made
-- with; empty: it mails nothing. A provider may take the address of its customer as it is at that moment.
ALTER TABLE invoices ADD COLUMN mailed_to text;

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
       coalesce(mailed_to, buyer ->> 'email', '') AS told_email
FROM invoices
JOIN buyers ON buyers.id = invoices.buyer_id;

-- migrate:down
