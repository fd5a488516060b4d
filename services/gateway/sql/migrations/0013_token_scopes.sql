-- migrate:up
-- Tokens that exist may do what they could before: all that their role may.
ALTER TABLE api_tokens ADD COLUMN expires_at timestamptz, ADD COLUMN scopes text[] NOT NULL
    DEFAULT ARRAY['read', 'shows:write', 'invoices:write', 'integrations', 'workspace'];
UPDATE api_tokens SET scopes = ARRAY['read', 'shows:write', 'invoices:write'] WHERE role = 'operator';
ALTER TABLE api_tokens ALTER COLUMN scopes DROP DEFAULT;

-- migrate:down
