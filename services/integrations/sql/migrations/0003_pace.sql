-- migrate:up
-- When the next call to a provider account may be made: over all operations, and for each one. Seconds since 1970.
-- UNLOGGED: it is written with every call, and a bucket that a crash emptied fills again within a second.
CREATE UNLOGGED TABLE pace (
    provider integration_provider NOT NULL,
    account_id text NOT NULL,
    livemode boolean NOT NULL,
    free_at double precision NOT NULL,
    operations_free_at jsonb NOT NULL,
    PRIMARY KEY (provider, account_id, livemode)
) WITH (fillfactor = 50);

-- migrate:down
