-- migrate:up
-- A draft that was brought to its prices, and waits for the operator to finalize it.
ALTER TYPE draft_reason ADD VALUE 'not_finalized';

-- migrate:down
