-- migrate:up
-- When claims that changed something came in last, by our clock.
ALTER TABLE shows ADD COLUMN claims_arrived_at timestamptz;

-- migrate:down
