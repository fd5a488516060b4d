-- migrate:up
-- An attempt to connect that was refused belongs to no connection.
ALTER TABLE audit ALTER COLUMN integration_id DROP NOT NULL;

-- migrate:down
