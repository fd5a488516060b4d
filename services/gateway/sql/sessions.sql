-- name: open_session
INSERT INTO sessions (id, token_hash, user_id, workspace_id, address, expires_at)
VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6));

-- name: find_session
SELECT sessions.id, sessions.user_id, users.email, memberships.role::text AS role, workspaces.id AS workspace_id,
       workspaces.name AS workspace_name, workspaces.plan, sessions.last_seen_at < now() - interval '1 minute' AS stale
FROM sessions
JOIN users ON users.id = sessions.user_id
JOIN memberships ON memberships.user_id = sessions.user_id AND memberships.workspace_id = sessions.workspace_id
JOIN workspaces ON workspaces.id = sessions.workspace_id
WHERE sessions.token_hash = $1
  AND sessions.expires_at > now()
  AND sessions.last_seen_at > now() - make_interval(secs => $2);

-- name: touch_session
UPDATE sessions SET last_seen_at = now() WHERE id = $1;

-- name: end_session
DELETE FROM sessions WHERE id = $1;

-- name: end_stale_sessions
DELETE FROM sessions WHERE expires_at < now() OR last_seen_at < now() - make_interval(secs => $1);

-- name: live_credentials
-- Which of the given sessions and tokens still let somebody in.
SELECT id FROM sessions
WHERE id = ANY($1::uuid[]) AND expires_at > now() AND last_seen_at > now() - make_interval(secs => $2)
UNION ALL
SELECT id FROM api_tokens WHERE id = ANY($1::uuid[]) AND revoked_at IS NULL;

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
-- A sign-in that succeeded takes back its own count, and clears the account's at this address.
WITH cleared AS (DELETE FROM sign_in_failures WHERE counted_for = $1)
UPDATE sign_in_failures SET failures = greatest(failures - 1, 0) WHERE counted_for = $2;

-- name: forget_sign_ins
DELETE FROM sign_in_failures WHERE window_began_at < now() - make_interval(secs => $1);
