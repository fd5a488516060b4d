-- name: lock_bootstrap
SELECT pg_advisory_xact_lock(hashtext('showbill.gateway.bootstrap'));

-- name: has_users
SELECT EXISTS (SELECT FROM users);

-- name: create_workspace
INSERT INTO workspaces (id, name) VALUES ($1, $2);

-- name: create_user
INSERT INTO users (id, email, password_hash) VALUES ($1, $2, $3) ON CONFLICT (lower(email)) DO NOTHING RETURNING id;

-- name: create_membership
INSERT INTO memberships (user_id, workspace_id, role) VALUES ($1, $2, $3);

-- name: find_account
-- The workspace that the user joined first.
SELECT users.id AS user_id, users.password_hash, memberships.workspace_id
FROM users
JOIN memberships ON memberships.user_id = users.id
WHERE lower(users.email) = lower($1)
ORDER BY memberships.created_at, memberships.workspace_id
LIMIT 1;

-- name: replace_password_hash
UPDATE users SET password_hash = $2 WHERE id = $1;
