-- migrate:up
-- What a person wants to be called, and whether they sign in with a password at all.
ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT '', ALTER COLUMN password_hash DROP NOT NULL;

-- migrate:down
