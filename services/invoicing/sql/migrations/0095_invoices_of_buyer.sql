-- migrate:up
-- What a buyer was billed in whatever show, and in which currency: a plan asks that of its own buyers.
CREATE INDEX invoices_of_buyer ON invoices (buyer_id) INCLUDE (currency) WHERE status <> 'void';

-- migrate:down
