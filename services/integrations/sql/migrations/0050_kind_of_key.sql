-- migrate:up
-- What kind of key is connected, as its beginning says: restricted or not, live or test. Of connections of before, the next
-- check notes it.
ALTER TABLE integrations ADD COLUMN key_kind text NOT NULL DEFAULT '';

-- migrate:down
