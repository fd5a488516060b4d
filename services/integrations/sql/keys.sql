-- name: canaries
SELECT key_id, canary, create_time, retire_time
FROM credential_keys
ORDER BY create_time, key_id;

-- name: plant_canary
INSERT INTO credential_keys (key_id, canary) VALUES ($1, $2) ON CONFLICT (key_id) DO NOTHING;

-- name: keys_in_use
SELECT key_id, count(*) AS connections
FROM integrations
WHERE key_id IS NOT NULL
GROUP BY key_id
ORDER BY key_id;

-- name: wrapped_by
-- Some data keys under a key, the newest first.
SELECT id, workspace_id, wrapped_key, key_id
FROM integrations
WHERE key_id = $1
ORDER BY connect_time DESC
LIMIT $2;

-- name: retire_key
-- No row while a connection is sealed under it.
UPDATE credential_keys
SET retire_time = coalesce(retire_time, now())
WHERE key_id = $1 AND NOT EXISTS (SELECT FROM integrations WHERE key_id = $1)
RETURNING key_id;

-- name: to_rewrap
-- The next connections, after $2, that are sealed under another key than $1.
SELECT id, workspace_id, wrapped_key, key_id
FROM integrations
WHERE key_id <> $1 AND id > $2
ORDER BY id
LIMIT $3;

-- name: count_to_rewrap
SELECT count(*) FROM integrations WHERE key_id <> $1;

-- name: put_rewrapped
-- Only where the data key is still the one that was read: a connection with new keys of its own is left alone. The
-- version stays, for to all others nothing has changed. Locked in the order of ids, like all that changes several rows.
WITH locked AS MATERIALIZED (
    SELECT id FROM integrations WHERE id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE integrations AS i
SET wrapped_key = n.fresh, key_id = $1
FROM locked
JOIN unnest($2::uuid[], $3::bytea[], $4::bytea[]) AS n (id, stale, fresh) ON n.id = locked.id
WHERE i.id = locked.id AND i.wrapped_key = n.stale
RETURNING i.id;

-- name: hold_keys
INSERT INTO key_holders (process, key_ids) VALUES ($1, $2)
ON CONFLICT (process) DO UPDATE SET key_ids = excluded.key_ids, seen_time = now();

-- name: release_keys
DELETE FROM key_holders WHERE process = $1 OR seen_time < now() - interval '1 day';

-- name: key_holders
-- Of the processes that were heard of in the last $1 seconds.
SELECT process, key_ids FROM key_holders WHERE seen_time > now() - make_interval(secs => $1::float8);

-- name: lose_connection
-- The data key cannot be opened any more: gone with it are the credentials.
UPDATE integrations
SET status = 'needs_reconnect', status_reason = $3, wrapped_key = NULL, key_id = NULL, version = version + 1,
    update_time = now()
WHERE id = $1 AND wrapped_key = $2
RETURNING *;
