-- migrate:up
-- When the provider was first told of a mark: what was paid there before is the buyer's own payment.
ALTER TABLE planned_changes ADD COLUMN asked_at timestamptz;

-- migrate:down
