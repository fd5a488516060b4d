-- name: lock_workspace
-- Whoever changes members waits for the other: two owners cannot remove one another at once.
SELECT id FROM workspaces WHERE id = $1 FOR UPDATE;

-- name: is_still_owner
-- Whether a person, or an API token, has an owner's rights now.
SELECT EXISTS (
    SELECT FROM memberships WHERE workspace_id = $1 AND user_id = $2::uuid AND role = 'owner'
    UNION ALL
    SELECT FROM api_tokens
    WHERE workspace_id = $1 AND id = $3::uuid AND role = 'owner'
      AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
);

-- name: list_members
SELECT users.id AS user_id, users.name, users.email, memberships.role::text AS role, memberships.version,
       memberships.created_at,
       (SELECT max(sessions.last_seen_at) FROM sessions
        WHERE sessions.user_id = users.id AND sessions.workspace_id = memberships.workspace_id) AS last_seen_at
FROM memberships JOIN users ON users.id = memberships.user_id
WHERE memberships.workspace_id = $1 AND ($2::uuid IS NULL OR users.id > $2)
ORDER BY users.id
LIMIT $3;

-- name: find_member
SELECT users.id AS user_id, users.name, users.email, memberships.role::text AS role, memberships.version,
       memberships.created_at,
       (SELECT max(sessions.last_seen_at) FROM sessions
        WHERE sessions.user_id = users.id AND sessions.workspace_id = memberships.workspace_id) AS last_seen_at
FROM memberships JOIN users ON users.id = memberships.user_id
WHERE memberships.workspace_id = $1 AND users.id = $2;

-- name: is_member
SELECT EXISTS (
    SELECT FROM memberships JOIN users ON users.id = memberships.user_id
    WHERE memberships.workspace_id = $1 AND lower(users.email) = lower($2)
);

-- name: other_owners
SELECT count(*) FROM memberships WHERE workspace_id = $1 AND role = 'owner' AND user_id <> $2;

-- name: change_role
UPDATE memberships SET role = $3, version = version + 1 WHERE workspace_id = $1 AND user_id = $2;

-- name: remove_member
DELETE FROM memberships WHERE workspace_id = $1 AND user_id = $2;

-- name: revoke_tokens_made_by
-- Whoever made a token may still have it. With $3 only those with an owner's rights.
UPDATE api_tokens SET revoked_at = now()
WHERE workspace_id = $1 AND created_by = $2 AND revoked_at IS NULL AND (NOT $3 OR role = 'owner')
RETURNING id;

-- name: close_invitations_made_by
UPDATE invitations SET closed_at = now() WHERE workspace_id = $1 AND invited_by = $2 AND closed_at IS NULL;
