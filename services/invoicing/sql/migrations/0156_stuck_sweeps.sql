-- migrate:up
-- Readings in a row that could not be noted. That the provider was away uses up none of their patience.
ALTER TABLE sweeps ADD COLUMN stuck_count integer NOT NULL DEFAULT 0;

-- migrate:down
