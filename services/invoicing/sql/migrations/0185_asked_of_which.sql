-- migrate:up
-- Which of the provider's invoices a mark was asked for: one that is edited there is replaced by another. Empty where it was
-- asked by a replica that does not keep it.
ALTER TABLE asked_marks ADD COLUMN external_id text NOT NULL DEFAULT '';

-- migrate:down
