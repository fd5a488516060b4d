-- name: items_by_number
SELECT item_number, id FROM show_items WHERE show_id = $1 AND item_number = ANY ($2::text[]);

-- name: upsert_buyers
-- A label replaces one of an older claim, never one of a newer; an e-mail fills in one that is missing. Sorted by key, so
-- that two shows that bring the same buyers do not wait for each other.
INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, handle_at, display_name, display_name_at, email)
SELECT told.id, $1, told.platform, told.platform_user_id,
       told.handle, CASE WHEN told.handle = '' THEN '-infinity' ELSE told.handle_at END,
       told.display_name, CASE WHEN told.display_name = '' THEN '-infinity' ELSE told.display_name_at END, told.email
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::timestamptz[], $9::text[])
  AS told (id, platform, platform_user_id, handle, handle_at, display_name, display_name_at, email)
ORDER BY told.platform, told.platform_user_id
ON CONFLICT (workspace_id, platform, platform_user_id) DO UPDATE
SET handle = CASE WHEN excluded.handle <> '' AND excluded.handle_at >= buyers.handle_at
                  THEN excluded.handle ELSE buyers.handle END,
    handle_at = greatest(buyers.handle_at, excluded.handle_at),
    display_name = CASE WHEN excluded.display_name <> '' AND excluded.display_name_at >= buyers.display_name_at
                        THEN excluded.display_name ELSE buyers.display_name END,
    display_name_at = greatest(buyers.display_name_at, excluded.display_name_at),
    email = coalesce(nullif(buyers.email, ''), excluded.email)
WHERE excluded.handle_at > buyers.handle_at
   OR (excluded.handle_at = buyers.handle_at AND excluded.handle NOT IN ('', buyers.handle))
   OR excluded.display_name_at > buyers.display_name_at
   OR (excluded.display_name_at = buyers.display_name_at AND excluded.display_name NOT IN ('', buyers.display_name))
   OR (buyers.email = '' AND excluded.email <> '');

-- name: buyers_by_key
SELECT buyers.id, platform, platform_user_id
FROM unnest($2::text[], $3::text[]) AS key (platform, platform_user_id)
JOIN buyers USING (platform, platform_user_id)
WHERE buyers.workspace_id = $1;

-- name: upsert_claims
-- A later state of a claim replaces the earlier one, never the other way: the order is total, as domain/claim.py has it,
-- so that all ways of sending the same states end the same. The same state again changes nothing.
INSERT INTO claims (id, show_id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
SELECT told.id, $1, told.claim_id, told.buyer_id, told.show_item_id, told.quantity, told.status::claim_status,
       told.claim_time, told.sequence
FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::bigint[], $7::text[], $8::timestamptz[], $9::bigint[])
  AS told (id, claim_id, buyer_id, show_item_id, quantity, status, claim_time, sequence)
ON CONFLICT (show_id, claim_id) DO UPDATE
SET buyer_id = excluded.buyer_id, show_item_id = excluded.show_item_id, quantity = excluded.quantity,
    status = excluded.status, claim_time = excluded.claim_time, sequence = excluded.sequence
WHERE CASE
    WHEN (excluded.sequence, excluded.claim_time, excluded.status, excluded.quantity)
      <> (claims.sequence, claims.claim_time, claims.status, claims.quantity)
      THEN (excluded.sequence, excluded.claim_time, excluded.status, excluded.quantity)
        > (claims.sequence, claims.claim_time, claims.status, claims.quantity)
    WHEN (excluded.show_item_id, excluded.buyer_id) = (claims.show_item_id, claims.buyer_id) THEN false
    ELSE claim_names(excluded.show_item_id, excluded.buyer_id) COLLATE "C"
      > claim_names(claims.show_item_id, claims.buyer_id)
  END
RETURNING id;

-- name: count_claims
UPDATE shows
SET claim_count = claim_count + $2, claims_arrived_at = clock_timestamp(),
    buyer_count = (SELECT count(DISTINCT buyer_id) FROM claims WHERE show_id = $1 AND status = 'winner')
WHERE id = $1;

-- name: lock_buyer
SELECT *, '' AS pay_token FROM buyers WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE;

-- name: update_buyer
-- Told by a person just now: only a claim that is made later tells better.
UPDATE buyers
SET email = coalesce($2, email), display_name = coalesce($3, display_name),
    display_name_at = CASE WHEN $3 IS NULL THEN display_name_at ELSE now() END
WHERE id = $1;

-- name: upsert_contacts
-- Told by a person just now: only a claim that is made later tells a better name. The handle is the platform's to tell, and
-- only fills in one that is missing. Sorted by key, so that two shows that bring the same buyers do not wait for each other.
INSERT INTO buyers (id, workspace_id, platform, platform_user_id, handle, display_name, display_name_at, email)
SELECT told.id, $1, told.platform, told.platform_user_id, told.handle, told.display_name,
       CASE WHEN told.display_name = '' THEN '-infinity' ELSE now() END, told.email
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
  AS told (id, platform, platform_user_id, handle, display_name, email)
ORDER BY told.platform, told.platform_user_id
ON CONFLICT (workspace_id, platform, platform_user_id) DO UPDATE
SET handle = coalesce(nullif(buyers.handle, ''), excluded.handle),
    display_name = coalesce(nullif(excluded.display_name, ''), buyers.display_name),
    display_name_at = CASE WHEN excluded.display_name IN ('', buyers.display_name)
                           THEN buyers.display_name_at ELSE excluded.display_name_at END,
    email = coalesce(nullif(excluded.email, ''), buyers.email)
WHERE (buyers.handle = '' AND excluded.handle <> '')
   OR excluded.display_name NOT IN ('', buyers.display_name)
   OR excluded.email NOT IN ('', buyers.email)
RETURNING id;
