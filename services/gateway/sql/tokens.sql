-- name: create_token
INSERT INTO api_tokens (id, token_hash, hint, workspace_id, name, role, scopes, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
RETURNING id, hint, name, role::text AS role, scopes, created_at, last_used_at, expires_at;

-- name: find_token
SELECT api_tokens.id, api_tokens.name, api_tokens.role::text AS role, api_tokens.scopes, api_tokens.created_by,
       workspaces.id AS workspace_id, workspaces.name AS workspace_name, workspaces.plan,
       coalesce(api_tokens.last_used_at < now() - interval '1 minute', true) AS stale
FROM api_tokens
JOIN workspaces ON workspaces.id = api_tokens.workspace_id
WHERE api_tokens.token_hash = $1 AND api_tokens.revoked_at IS NULL
  AND (api_tokens.expires_at IS NULL OR api_tokens.expires_at > now());

-- name: touch_token
UPDATE api_tokens SET last_used_at = now() WHERE id = $1;

-- name: list_tokens
-- Those that ran out stay in the list until they are revoked: somebody wonders why a program stopped.
SELECT id, hint, name, role::text AS role, scopes, created_at, last_used_at, expires_at
FROM api_tokens
WHERE workspace_id = $1 AND revoked_at IS NULL AND ($2::uuid IS NULL OR id > $2)
ORDER BY id
LIMIT $3;

-- name: expiry_of_token
SELECT expires_at FROM api_tokens WHERE id = $1;

-- name: revoke_token
UPDATE api_tokens SET revoked_at = coalesce(revoked_at, now())
WHERE id = $1 AND workspace_id = $2
RETURNING id;
