-- migrate:up
-- When an unsettled invoice is to be read again from the provider: young ones often, old ones rarely. It takes the place
-- of the time of the last reading, from which every one was due alike.
ALTER TABLE invoices ADD COLUMN check_at timestamptz NOT NULL DEFAULT now() + interval '1 hour';
CREATE INDEX invoices_check_at ON invoices (check_at)
  WHERE status IN ('draft', 'sent', 'payment_failed', 'uncollectible') AND external_id <> '';
DROP INDEX invoices_to_check;
ALTER TABLE invoices DROP COLUMN checked_at;

-- migrate:down
