-- name: lock_bootstrap
SELECT pg_advisory_xact_lock(hashtext('showbill.gateway.bootstrap'));

-- name: has_users
SELECT EXISTS (SELECT FROM users);

-- name: create_workspace
INSERT INTO workspaces (id, name) VALUES ($1, $2);

-- name: create_user
INSERT INTO users (id, email, password_hash, name) VALUES ($1, $2, $3, $4)
ON CONFLICT (lower(email)) DO NOTHING RETURNING id;

-- name: create_membership
INSERT INTO memberships (user_id, workspace_id, role) VALUES ($1, $2, $3);

-- name: find_account
-- With the workspace that the person opened last, or joined first.
SELECT users.id AS user_id, users.password_hash, memberships.workspace_id
FROM users
JOIN memberships ON memberships.user_id = users.id
WHERE lower(users.email) = lower($1)
ORDER BY memberships.opened_at DESC NULLS LAST, memberships.created_at, memberships.workspace_id
LIMIT 1;

-- name: find_user
-- Whether or not the person belongs to a workspace just now.
SELECT id AS user_id, email, password_hash FROM users WHERE lower(email) = lower($1);

-- name: is_same_address
-- Whether two addresses differ in case at most. In small letters alone some look-alikes, as the Kelvin sign, are the same.
SELECT lower($1::text) = lower($2::text) AND upper($1::text) = upper($2::text);

-- name: password_of
SELECT users.password_hash, sessions.created_at > now() - interval '15 minutes' AS signed_in_just_now
FROM sessions JOIN users ON users.id = sessions.user_id
WHERE sessions.id = $1;

-- name: replace_password_hash
UPDATE users SET password_hash = $2 WHERE id = $1;

-- name: renew_password_hash
-- Unless there is another by now than the one that was looked at.
UPDATE users SET password_hash = $2 WHERE id = $1 AND password_hash IS NOT DISTINCT FROM $3 RETURNING id;

-- name: set_plan
UPDATE workspaces SET plan = $2 WHERE id::text = $1 RETURNING id;

-- name: workspaces_of_user
SELECT workspaces.id, workspaces.name, workspaces.plan, memberships.role::text AS role
FROM memberships JOIN workspaces ON workspaces.id = memberships.workspace_id
WHERE memberships.user_id = $1
ORDER BY lower(workspaces.name), workspaces.id
LIMIT 200;
