-- migrate:up
-- The provider's own name of the request that failed, which its support asks for.
ALTER TABLE invoice_history ADD COLUMN provider_request text NOT NULL DEFAULT '';

-- migrate:down
