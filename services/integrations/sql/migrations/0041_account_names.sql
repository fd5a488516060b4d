-- migrate:up
-- What the operator knows an account and its keys by. Of connections of before, the next check notes them.
ALTER TABLE integrations
    ADD COLUMN account_name text NOT NULL DEFAULT '',
    ADD COLUMN public_key_hint text NOT NULL DEFAULT '';

-- migrate:down
