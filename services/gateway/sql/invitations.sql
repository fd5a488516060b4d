-- name: close_invitations_of
UPDATE invitations SET closed_at = now() WHERE workspace_id = $1 AND lower(email) = lower($2) AND closed_at IS NULL;

-- name: create_invitation
INSERT INTO invitations (id, token_hash, workspace_id, email, role, invited_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7))
RETURNING id, email, role::text AS role, created_at, expires_at,
          (SELECT users.email FROM users WHERE users.id = invited_by) AS invited_by;

-- name: list_invitations
-- Those that can still be accepted.
SELECT invitations.id, invitations.email, invitations.role::text AS role, invitations.created_at, invitations.expires_at,
       users.email AS invited_by
FROM invitations LEFT JOIN users ON users.id = invitations.invited_by
WHERE invitations.workspace_id = $1 AND invitations.closed_at IS NULL AND invitations.expires_at > now()
  AND ($2::uuid IS NULL OR invitations.id > $2)
ORDER BY invitations.id
LIMIT $3;

-- name: revoke_invitation
UPDATE invitations SET closed_at = coalesce(closed_at, now()) WHERE id = $1 AND workspace_id = $2 RETURNING id;

-- name: find_invitation
SELECT invitations.id, invitations.workspace_id, workspaces.name AS workspace_name, invitations.email,
       invitations.role::text AS role, users.id AS user_id, users.password_hash
FROM invitations
JOIN workspaces ON workspaces.id = invitations.workspace_id
LEFT JOIN users ON lower(users.email) = lower(invitations.email)
WHERE invitations.token_hash = $1 AND invitations.closed_at IS NULL AND invitations.expires_at > now();

-- name: accept_invitation
-- Once only: of two who accept at the same time the second finds nothing.
UPDATE invitations SET closed_at = now()
WHERE id = $1 AND closed_at IS NULL AND expires_at > now()
RETURNING workspace_id, role::text AS role;

-- name: join_workspace
INSERT INTO memberships (user_id, workspace_id, role) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING;

-- name: forget_invitations
DELETE FROM invitations WHERE coalesce(closed_at, expires_at) < now() - interval '90 days';
