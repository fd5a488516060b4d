-- migrate:up
-- Where an invoice stands among those of its show, by what lists are sorted by, and the text that is searched: in lower
-- case. Numbers sort upwards; what needs attention comes first, and in each status what changed last. A column that is not
-- asked for costs nothing, the buyer neither.
CREATE VIEW listed_invoices AS
SELECT invoices.id, invoices.show_id, invoices.status, lower(buyers.handle) AS by_handle, invoices.total AS by_total,
       invoices.line_count::bigint AS by_line_count,
       (extract(epoch FROM invoices.updated_at) * 1000000)::bigint AS by_update_time,
       (10000000000000000 * CASE invoices.status
         WHEN 'error' THEN 1
         WHEN 'payment_failed' THEN 2
         WHEN 'draft' THEN CASE WHEN invoices.draft_reason IS NULL THEN 5 ELSE 3 END
         WHEN 'pending' THEN 4
         WHEN 'sent' THEN 6
         WHEN 'paid' THEN 7
         WHEN 'uncollectible' THEN 8
         ELSE 9
       END - extract(epoch FROM invoices.updated_at) * 1000000)::bigint AS by_status,
       lower(concat_ws(E'\n', buyers.handle, buyers.display_name, buyers.email, invoices.number)) AS searched
FROM invoices
LEFT JOIN buyers ON buyers.id = invoices.buyer_id;

-- migrate:down
