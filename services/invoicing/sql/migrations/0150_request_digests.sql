-- migrate:up
-- What was asked for under a request id, so that the id with another wish is refused. Empty where a version before wrote it.
ALTER TABLE generations ADD COLUMN request_digest text NOT NULL DEFAULT '';
ALTER TABLE sendings ADD COLUMN request_digest text NOT NULL DEFAULT '';

-- migrate:down
