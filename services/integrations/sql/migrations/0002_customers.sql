-- migrate:up
-- Which customer of the provider a buyer is. Written before the provider is asked, so that a retry asks for the same.
CREATE TABLE customers (
    id uuid PRIMARY KEY,
    workspace_id uuid NOT NULL,
    provider integration_provider NOT NULL,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    platform text NOT NULL,
    platform_user_id text NOT NULL,
    -- What the provider was, or is about to be, told.
    parameters jsonb NOT NULL,
    -- The provider's id; NULL until it is known.
    customer_id text,
    create_time timestamptz NOT NULL DEFAULT now(),
    update_time timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_customer_for_each_buyer UNIQUE
        (workspace_id, provider, account_id, livemode, platform, platform_user_id)
);

-- migrate:down
