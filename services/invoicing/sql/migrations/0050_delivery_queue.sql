-- migrate:up
-- In a migration of its own: a value cannot be used in the transaction that adds it.
ALTER TYPE delivery_state ADD VALUE 'queued' BEFORE 'requested';

-- migrate:down
