-- name: current_integrations
-- The latest connection of each provider.
SELECT DISTINCT ON (provider) *
FROM integrations
WHERE workspace_id = $1
ORDER BY provider, (status <> 'inactive') DESC, connect_time DESC;

-- name: current_integration
SELECT *
FROM integrations
WHERE workspace_id = $1 AND provider = $2
ORDER BY (status <> 'inactive') DESC, connect_time DESC
LIMIT 1;

-- name: current_integration_with_credentials
SELECT
    i.*,
    (SELECT jsonb_object_agg(c.field, encode(c.ciphertext, 'base64')) FROM credentials c WHERE c.integration_id = i.id)
        AS sealed
FROM integrations i
WHERE i.workspace_id = $1 AND i.provider = $2
ORDER BY (i.status <> 'inactive') DESC, i.connect_time DESC
LIMIT 1;

-- name: webhook_bindings
-- $2 names the field of the endpoint's secret, $3 that of the secrets of endpoints before it.
SELECT
    i.id, i.workspace_id, i.provider, i.status, i.account_id, i.livemode, i.wrapped_key, i.key_id, c.ciphertext,
    e.ciphertext AS earlier
FROM integrations i
LEFT JOIN credentials c ON c.integration_id = i.id AND c.field = $2
LEFT JOIN credentials e ON e.integration_id = i.id AND e.field = $3
WHERE i.id = ANY($1::uuid[]);

-- name: insert_integration
INSERT INTO integrations (
    id, workspace_id, provider, status, account_id, livemode, country, default_currency, key_hint, wrapped_key, key_id,
    webhook_endpoint_id, webhook_url, update_mode, update_mode_reason, connect_time, connected_by, account_name,
    public_key_hint, key_kind, settings
) VALUES (
    $1, $2, $3, 'active', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, now(), $15, $16, $17, $18,
    -- What the operator set for the connection before goes along; the currency was that account's.
    coalesce(
        (SELECT settings - 'default_currency' FROM integrations WHERE workspace_id = $2 AND provider = $3
        ORDER BY connect_time DESC LIMIT 1),
        '{}'
    )
)
RETURNING *;

-- name: renew_integration
-- New keys of the same account and mode: connected since and by whom stay as they were, the audit tells of the keys. No
-- row when the connection changed since it was read.
UPDATE integrations
SET status = 'active', status_reason = '', hindered_verb = '', status_time = now(), country = $3, default_currency = $4, key_hint = $5, wrapped_key = $6,
    key_id = $7, webhook_endpoint_id = $8, webhook_url = $9, update_mode = $10, update_mode_reason = $11,
    connected_by = coalesce(nullif(connected_by, ''), $12), account_name = $13, public_key_hint = $14, key_kind = $15,
    version = version + 1, update_time = now()
WHERE id = $1 AND version = $2 AND status <> 'inactive'
RETURNING *;

-- name: deactivate_integration
-- $3 names the webhook endpoint that could not be deleted at the provider, or is empty. No row when the connection
-- changed since it was read.
UPDATE integrations
SET status = 'inactive', status_reason = '', wrapped_key = NULL, key_id = NULL, key_hint = '', public_key_hint = '',
    key_kind = '', status_time = now(),
    webhook_endpoint_id = $3, disconnect_time = now(), version = version + 1, update_time = now()
WHERE id = $1 AND version = $2 AND status <> 'inactive'
RETURNING *;

-- name: change_status
-- No row when the connection changed since it was read, or has that status already.
UPDATE integrations
SET status = $3, status_reason = $4, hindered_verb = $5, status_time = now(), version = version + 1, update_time = now()
WHERE id = $1 AND version = $2 AND status NOT IN ('inactive', $3)
RETURNING *;

-- name: note_names
-- A name that keys may not read any more is not forgotten.
UPDATE integrations
SET account_name = coalesce(nullif($2, ''), account_name), public_key_hint = coalesce(nullif($3, ''), public_key_hint),
    key_kind = coalesce(nullif($4, ''), key_kind), update_time = now()
WHERE id = $1 AND status <> 'inactive';

-- name: lock_settings
SELECT * FROM integrations WHERE id = $1 AND status <> 'inactive' FOR UPDATE;

-- name: change_settings
-- Only what $2 names; a change of keys or status at the same moment goes on. No row when it was disconnected.
UPDATE integrations
SET settings = settings || $2::jsonb, update_time = now()
WHERE id = $1 AND status <> 'inactive'
RETURNING *;

-- name: note_events
-- It tells nothing that a later event does not tell: whoever is being changed just now is passed over, and what several
-- statements change is locked in one order.
UPDATE integrations SET last_event_time = now()
WHERE id IN (SELECT id FROM integrations WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);

-- name: put_credentials
INSERT INTO credentials (integration_id, field, ciphertext)
SELECT $1, * FROM unnest($2::text[], $3::bytea[])
ON CONFLICT (integration_id, field) DO UPDATE SET ciphertext = excluded.ciphertext, create_time = now();

-- name: delete_credentials
DELETE FROM credentials WHERE integration_id = $1;
