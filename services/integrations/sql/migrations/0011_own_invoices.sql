-- migrate:up
-- The invoices of providers that keep none themselves.
CREATE TABLE own_invoices (
    workspace_id uuid NOT NULL,
    provider integration_provider NOT NULL,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    external_id text NOT NULL,
    state text NOT NULL CHECK (state IN ('draft', 'open', 'paid', 'void', 'uncollectible', 'deleted')),
    -- Minor units.
    total bigint NOT NULL,
    currency text NOT NULL,
    number text NOT NULL,
    invoice_id uuid NOT NULL,
    revision integer NOT NULL,
    lines jsonb NOT NULL,
    payment_instructions text NOT NULL,
    create_time timestamptz NOT NULL,
    finalize_time timestamptz,
    paid_time timestamptz,
    PRIMARY KEY (workspace_id, provider, account_id, livemode, external_id)
);

CREATE INDEX own_invoices_newest_first
    ON own_invoices (workspace_id, provider, account_id, livemode, create_time DESC, external_id DESC);

-- migrate:down
