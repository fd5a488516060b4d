-- migrate:up
-- When the reading under way began, by our clock: a quiet account has been read up to there as well.
ALTER TABLE sweeps ADD COLUMN began_at timestamptz;

-- migrate:down
