-- name: items_by_number
SELECT item_number, id FROM show_items WHERE show_id = $1 AND item_number = ANY ($2::text[]);

-- name: upsert_buyers
-- A label that is told replaces the one before; an e-mail fills in one that is missing. Sorted by key, so that two shows
-- that bring the same buyers do not wait for each other.
INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, email)
SELECT told.id, $1, told.platform, told.platform_user_id, told.handle, told.display_name, told.email
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS told (id, platform, platform_user_id, handle, display_name, email)
ORDER BY told.platform, told.platform_user_id
ON CONFLICT (workspace_id, platform, platform_user_id) DO UPDATE
SET handle = coalesce(nullif(excluded.handle, ''), buyers.handle),
    display_name = coalesce(nullif(excluded.display_name, ''), buyers.display_name),
    email = coalesce(nullif(buyers.email, ''), excluded.email)
WHERE (excluded.handle <> '' AND excluded.handle <> buyers.handle)
   OR (excluded.display_name <> '' AND excluded.display_name <> buyers.display_name)
   OR (buyers.email = '' AND excluded.email <> '');

-- name: buyers_by_key
SELECT buyers.id, platform, platform_user_id
FROM unnest($2::text[], $3::text[]) AS key (platform, platform_user_id)
JOIN buyers USING (platform, platform_user_id)
WHERE buyers.workspace_id = $1;

-- name: upsert_claims
-- A later state of a claim replaces the earlier one, never the other way: by sequence, else by time, and where these are
-- the same by the order of the statuses. The same state again changes nothing.
INSERT INTO claims (id, show_id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
SELECT told.id, $1, told.claim_id, told.buyer_id, told.show_item_id, told.quantity, told.status::claim_status,
       told.claim_time, told.sequence
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[])
  AS told (id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
ON CONFLICT (show_id, claim_id) DO UPDATE
SET buyer_id = excluded.buyer_id, show_item_id = excluded.show_item_id, quantity = excluded.quantity,
    status = excluded.status, claim_time = excluded.claim_time, sequence = excluded.sequence
WHERE CASE
    WHEN claims.sequence > 0 AND excluded.sequence > 0 AND claims.sequence <> excluded.sequence
      THEN excluded.sequence > claims.sequence
    ELSE (excluded.claim_time, excluded.status) >= (claims.claim_time, claims.status)
  END
  AND (claims.buyer_id, claims.show_item_id, claims.quantity, claims.status, claims.claim_time, claims.sequence)
    IS DISTINCT FROM (excluded.buyer_id, excluded.show_item_id, excluded.quantity, excluded.status,
                      excluded.claim_time, excluded.sequence)
RETURNING id;

-- name: count_claims
UPDATE shows
SET claim_count = claim_count + $2,
    buyer_count = (SELECT count(DISTINCT buyer_id) FROM claims WHERE show_id = $1 AND status = 'winner')
WHERE id = $1;

-- name: list_claims
SELECT claims.id, claims.claim_id, claims.quantity, claims.status, claims.claim_time, claims.sequence,
       show_items.item_number, buyers.platform, buyers.platform_user_id, buyers.handle, buyers.display_name, buyers.email
FROM claims
JOIN show_items ON show_items.id = claims.show_item_id
JOIN buyers ON buyers.id = claims.buyer_id
WHERE claims.show_id = $1
  AND ($2::timestamptz IS NULL OR (claims.claim_time, claims.id) > ($2, $3::uuid))
  AND ($4::claim_status IS NULL OR claims.status = $4)
ORDER BY claims.claim_time, claims.id
LIMIT $5;

-- name: list_buyers
WITH owed AS MATERIALIZED (
  SELECT buyer_id, claim_count, line_count, unpriced_count, total FROM rollups WHERE show_id = $1
)
SELECT buyers.*, owed.claim_count, owed.line_count, owed.unpriced_count, owed.total,
       (SELECT token FROM pay_links WHERE show_id = $1 AND buyer_id = owed.buyer_id AND revoked_at IS NULL) AS pay_token
FROM owed
JOIN buyers ON buyers.id = owed.buyer_id
WHERE $2::text IS NULL OR (buyers.handle, buyers.id) > ($2, $3::uuid)
ORDER BY buyers.handle, buyers.id
LIMIT $4;

-- name: lock_buyer
SELECT *, '' AS pay_token FROM buyers WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE;

-- name: update_buyer
UPDATE buyers SET email = $2, display_name = $3 WHERE id = $1;
