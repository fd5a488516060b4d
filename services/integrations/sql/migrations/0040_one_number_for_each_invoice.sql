-- migrate:up
-- Buyers write the number on their transfer: two of one account must not bear the same. Of those that do, the oldest keeps
-- its number and each other one gets the longer form, which its id makes the only one.
UPDATE own_invoices AS o
SET number = upper(replace(o.invoice_id::text, '-', '')) || '-' || o.revision
WHERE o.number <> '' AND EXISTS (
    SELECT FROM own_invoices e
    WHERE (e.workspace_id, e.provider, e.account_id, e.livemode, e.number)
        = (o.workspace_id, o.provider, o.account_id, o.livemode, o.number)
        AND (e.create_time, e.external_id) < (o.create_time, o.external_id)
);

CREATE UNIQUE INDEX one_number_for_each_invoice ON own_invoices (workspace_id, provider, account_id, livemode, number)
    WHERE number <> '';

-- migrate:down
