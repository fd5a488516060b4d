-- migrate:up
-- The invoice that was voided so that this one takes its place: the two are one change, begun with the voiding.
ALTER TABLE invoices ADD COLUMN replaces_id uuid REFERENCES invoices;

-- migrate:down
