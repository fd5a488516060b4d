-- migrate:up
-- The browser that a session was opened by, in its own words.
ALTER TABLE sessions ADD COLUMN user_agent text NOT NULL DEFAULT '';
CREATE INDEX sessions_user ON sessions (user_id);

-- migrate:down
