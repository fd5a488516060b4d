-- migrate:up
-- Every key-encryption key that was ever here, with a known value sealed under it: whoever holds another key under the
-- same id finds out before anything is sealed with it.
CREATE TABLE credential_keys (
    key_id text PRIMARY KEY,
    canary bytea NOT NULL,
    create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Set when nothing is sealed under it any more: nobody needs to hold it, and its id is never used again.
    retire_time timestamptz
);

-- Which keys each running process holds, the current one first: a key is made current only when all of them hold it.
CREATE TABLE key_holders (
    process uuid PRIMARY KEY,
    key_ids text[] NOT NULL,
    seen_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX connections_of_a_key ON integrations (key_id) WHERE key_id IS NOT NULL;

-- What was done with a connection's credentials, and by whom. Never changed but for the count.
CREATE TABLE audit (
    -- UUIDv7: in the order of time.
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    integration_id uuid NOT NULL REFERENCES integrations,
    provider integration_provider NOT NULL,
    action text NOT NULL,
    actor text NOT NULL,
    detail text NOT NULL DEFAULT '',
    -- Of what is counted: the hour that it is counted for. A thing that happened once has none.
    hour timestamptz,
    count bigint NOT NULL DEFAULT 1 CHECK (count > 0),
    create_time timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX audit_of_a_workspace ON audit (workspace_id, provider, id DESC);

CREATE UNIQUE INDEX one_count_for_each_hour ON audit (integration_id, action, actor, detail, hour)
    WHERE hour IS NOT NULL;

-- migrate:down
