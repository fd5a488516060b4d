-- name: open_session
-- The workspace becomes the one that the person's next sign-in opens. With $8 only while that is the hash of their
-- password: whoever changes it waits for us, and then ends this session too, or we wait for them, and open none.
WITH proved AS (
    SELECT id FROM users WHERE id = $3 AND ($8::text IS NULL OR password_hash = $8) FOR SHARE
), opened AS (
    UPDATE memberships SET opened_at = now() FROM proved
    WHERE memberships.user_id = proved.id AND memberships.workspace_id = $4
    RETURNING memberships.user_id, memberships.workspace_id
)
INSERT INTO sessions (id, token_hash, user_id, workspace_id, address, user_agent, expires_at)
SELECT $1, $2, user_id, workspace_id, $5, $6, now() + make_interval(secs => $7) FROM opened;

-- name: find_session
SELECT sessions.id, sessions.user_id, users.email, users.name, memberships.role::text AS role,
       workspaces.id AS workspace_id, workspaces.name AS workspace_name, workspaces.plan,
       sessions.last_seen_at < now() - interval '1 minute' AS stale
FROM sessions
JOIN users ON users.id = sessions.user_id
JOIN memberships ON memberships.user_id = sessions.user_id AND memberships.workspace_id = sessions.workspace_id
JOIN workspaces ON workspaces.id = sessions.workspace_id
WHERE sessions.token_hash = $1
  AND sessions.expires_at > now()
  AND sessions.last_seen_at > now() - make_interval(secs => $2);

-- name: touch_session
UPDATE sessions SET last_seen_at = now() WHERE id = $1;

-- name: list_sessions
SELECT sessions.id, sessions.address, sessions.user_agent, sessions.created_at, sessions.last_seen_at,
       workspaces.name AS workspace_name
FROM sessions
JOIN workspaces ON workspaces.id = sessions.workspace_id
WHERE sessions.user_id = $1
  AND sessions.expires_at > now()
  AND sessions.last_seen_at > now() - make_interval(secs => $2)
ORDER BY sessions.last_seen_at DESC, sessions.id DESC
LIMIT 200;

-- name: end_session
DELETE FROM sessions WHERE id = $1 AND user_id = $2 RETURNING id;

-- name: end_replaced_session
-- The one that the same browser held before it signed in again.
DELETE FROM sessions WHERE token_hash = $1;

-- name: end_sessions_of_user
-- All of them but the one named, or all.
DELETE FROM sessions WHERE user_id = $1 AND ($2::uuid IS NULL OR id <> $2) RETURNING id;

-- name: sessions_of_member
SELECT id FROM sessions WHERE user_id = $2 AND workspace_id = $1;

-- name: end_stale_sessions
DELETE FROM sessions WHERE expires_at < now() OR last_seen_at < now() - make_interval(secs => $1);

-- name: live_credentials
-- Which of the given sessions and tokens still let somebody in.
SELECT id FROM sessions
WHERE id = ANY($1::uuid[]) AND expires_at > now() AND last_seen_at > now() - make_interval(secs => $2)
UNION ALL
SELECT id FROM api_tokens
WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now());

-- name: count_sign_in
-- Counts an attempt before it is checked, so that many at once cannot slip through. A window that passed begins anew.
INSERT INTO sign_in_failures AS counted (counted_for, failures, window_began_at)
SELECT counted_for, 1, now() FROM unnest($1::bytea[]) AS counted_for
ORDER BY counted_for
ON CONFLICT (counted_for) DO UPDATE SET
    failures = CASE WHEN counted.window_began_at < now() - make_interval(secs => $2) THEN 1 ELSE counted.failures + 1 END,
    window_began_at = CASE WHEN counted.window_began_at < now() - make_interval(secs => $2) THEN now()
                           ELSE counted.window_began_at END
RETURNING counted_for, failures,
          extract(epoch FROM window_began_at + make_interval(secs => $2) - now())::double precision AS seconds_left;

-- name: forgive_sign_in
-- A sign-in that succeeded takes back its own counts, and clears the account's at this address.
WITH cleared AS (DELETE FROM sign_in_failures WHERE counted_for = $1)
UPDATE sign_in_failures SET failures = greatest(failures - 1, 0) WHERE counted_for = ANY($2::bytea[]);

-- name: forget_sign_ins
DELETE FROM sign_in_failures WHERE window_began_at < now() - make_interval(secs => $1);
