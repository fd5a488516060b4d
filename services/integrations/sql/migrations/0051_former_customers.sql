-- migrate:up
-- Customers that a buyer was before, and that were deleted at the provider since: what was made for them may stand there still.
CREATE TABLE former_customers (
    workspace_id uuid NOT NULL,
    provider integration_provider NOT NULL,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    platform text NOT NULL,
    platform_user_id text NOT NULL,
    customer_id text NOT NULL,
    PRIMARY KEY (workspace_id, provider, account_id, livemode, platform, platform_user_id, customer_id)
);

-- migrate:down
