-- migrate:up
CREATE TYPE integration_provider AS ENUM
    ('stripe', 'shopify', 'square', 'medusajs', 'paypal', 'quickbooks', 'manual');

CREATE TYPE integration_status AS ENUM ('active', 'inactive', 'needs_reconnect', 'error');

CREATE TABLE integrations (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    provider integration_provider NOT NULL,
    status integration_status NOT NULL,
    status_reason text NOT NULL DEFAULT '',
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    country text NOT NULL DEFAULT '',
    default_currency text NOT NULL DEFAULT '',
    key_hint text NOT NULL DEFAULT '',
    -- The connection's data key, sealed under the key-encryption key that key_id names. Both go on disconnect.
    wrapped_key bytea,
    key_id text,
    webhook_endpoint_id text NOT NULL DEFAULT '',
    webhook_url text NOT NULL DEFAULT '',
    update_mode text NOT NULL CHECK (update_mode IN ('live', 'polling', 'catching_up', 'broken')),
    update_mode_reason text NOT NULL DEFAULT '',
    settings jsonb NOT NULL DEFAULT '{}',
    connect_time timestamptz NOT NULL,
    connected_by text NOT NULL,
    disconnect_time timestamptz,
    last_event_time timestamptz,
    -- Rises with every change of keys or status: a change based on an older reading is refused.
    version bigint NOT NULL DEFAULT 1,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT no_key_without_connection CHECK (status <> 'inactive' OR (wrapped_key IS NULL AND key_id IS NULL)),
    CONSTRAINT key_and_its_id_together CHECK ((wrapped_key IS NULL) = (key_id IS NULL))
);

CREATE UNIQUE INDEX one_connection_for_each_provider ON integrations (workspace_id, provider)
    WHERE status <> 'inactive';

CREATE INDEX connections_of_a_workspace ON integrations (workspace_id, provider, connect_time DESC);

-- One sealed field each: version byte, nonce, ciphertext with its tag. See vault.py.
CREATE TABLE credentials (
    integration_id uuid NOT NULL REFERENCES integrations ON DELETE CASCADE,
    field text NOT NULL,
    ciphertext bytea NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (integration_id, field)
);

-- migrate:down
