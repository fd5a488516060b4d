-- migrate:up
-- What was answered under an Idempotency-Key. Without a status: somebody is still at it.
CREATE TABLE idempotent_answers (
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    -- Of method, address and key.
    key_hash bytea NOT NULL,
    body_hash bytea NOT NULL,
    -- Of the request that holds the key; another one that took it over finds its own here.
    holder uuid NOT NULL,
    held_since timestamptz NOT NULL DEFAULT now(),
    status smallint,
    headers jsonb,
    body bytea,
    PRIMARY KEY (workspace_id, key_hash)
);
CREATE INDEX idempotent_answers_age ON idempotent_answers (held_since);

-- migrate:down
