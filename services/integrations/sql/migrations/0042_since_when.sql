-- migrate:up
-- Since when a connection has the status that it has; not known of what was before.
ALTER TABLE integrations ADD COLUMN status_time timestamptz;

-- migrate:down
