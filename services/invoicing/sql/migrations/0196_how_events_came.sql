-- migrate:up
-- Whether an event was found by reading the provider, since no webhook had told it. Not known of those of before.
ALTER TABLE provider_events ADD COLUMN read boolean;

-- migrate:down
