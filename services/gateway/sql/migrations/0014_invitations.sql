-- migrate:up
CREATE TABLE invitations (
    id uuid PRIMARY KEY,
    token_hash bytea NOT NULL UNIQUE,
    workspace_id uuid NOT NULL REFERENCES workspaces ON DELETE CASCADE,
    email text NOT NULL CHECK (email <> ''),
    role workspace_role NOT NULL,
    invited_by uuid REFERENCES users ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    -- Accepted or revoked: its link lets nobody in any more.
    closed_at timestamptz
);
-- Of two invitations of one address the later counts.
CREATE UNIQUE INDEX invitations_open ON invitations (workspace_id, lower(email)) WHERE closed_at IS NULL;

-- migrate:down
