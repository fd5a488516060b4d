-- name: browse_items
-- Those without a price first where $5 says so; after a rank and a number. Who won is looked up for the page alone, and
-- never by a join of all items: before statistics catch up with an import, the planner takes a show to have one item.
WITH page AS MATERIALIZED (
  SELECT * FROM (
    SELECT id, item_number, number_order, title, price, quantity, CASE WHEN $5 AND price IS NULL THEN 0 ELSE 1 END AS rank
    FROM show_items
    WHERE show_id = $1
      AND CASE $3::text
            WHEN 'unpriced' THEN price IS NULL
            WHEN 'claimed' THEN id IN (SELECT show_item_id FROM claims WHERE show_id = $1 AND status = 'winner')
            WHEN 'unclaimed' THEN id NOT IN (SELECT show_item_id FROM claims WHERE show_id = $1 AND status = 'winner')
            ELSE true
          END
      AND ($4 = '' OR strpos(lower(concat_ws(E'\n', item_number, title)), $4) > 0)
      AND ($8 = '' OR item_number = $8)
  ) AS found
  WHERE $6::integer IS NULL OR (rank, number_order) > ($6, $7::text)
  ORDER BY rank, number_order
  LIMIT $2
), won AS MATERIALIZED (
  SELECT show_item_id, count(DISTINCT buyer_id)::integer AS winner_count, (array_agg(buyer_id))[1] AS winner_id
  FROM claims
  WHERE show_id = $1 AND status = 'winner' AND show_item_id = ANY (ARRAY (SELECT id FROM page))
  GROUP BY show_item_id
)
SELECT page.*, coalesce(winner_count, 0) AS winner_count, CASE WHEN winner_count = 1 THEN (
         SELECT coalesce(nullif(handle, ''), nullif(display_name, ''), platform_user_id) FROM buyers WHERE id = winner_id
       ) ELSE '' END AS winner
FROM page LEFT JOIN won ON won.show_item_id = page.id
ORDER BY rank, number_order;

-- name: count_items
SELECT count(*)::integer AS all, (count(*) FILTER (WHERE price IS NULL))::integer AS unpriced,
       (count(*) FILTER (
          WHERE id IN (SELECT show_item_id FROM claims WHERE show_id = $1 AND status = 'winner')
        ))::integer AS claimed
FROM show_items
WHERE show_id = $1 AND ($2 = '' OR strpos(lower(concat_ws(E'\n', item_number, title)), $2) > 0);

-- name: list_claims
SELECT claims.id, claims.claim_id, claims.quantity, claims.status, claims.claim_time, claims.sequence,
       show_items.item_number, show_items.title, show_items.price,
       buyers.platform, buyers.platform_user_id, buyers.handle, buyers.display_name, buyers.email
FROM claims
JOIN show_items ON show_items.id = claims.show_item_id
JOIN buyers ON buyers.id = claims.buyer_id
WHERE claims.show_id = $1
  AND ($3::claim_status IS NULL OR claims.status = $3)
  AND ($4 = '' OR strpos(lower(concat_ws(E'\n', handle, display_name, item_number, title)), $4) > 0)
  AND ($5::timestamptz IS NULL OR (claims.claim_time, claims.id) > ($5, $6::uuid))
ORDER BY claims.claim_time, claims.id
LIMIT $2;

-- name: list_claims_downwards
SELECT claims.id, claims.claim_id, claims.quantity, claims.status, claims.claim_time, claims.sequence,
       show_items.item_number, show_items.title, show_items.price,
       buyers.platform, buyers.platform_user_id, buyers.handle, buyers.display_name, buyers.email
FROM claims
JOIN show_items ON show_items.id = claims.show_item_id
JOIN buyers ON buyers.id = claims.buyer_id
WHERE claims.show_id = $1
  AND ($3::claim_status IS NULL OR claims.status = $3)
  AND ($4 = '' OR strpos(lower(concat_ws(E'\n', handle, display_name, item_number, title)), $4) > 0)
  AND ($5::timestamptz IS NULL OR (claims.claim_time, claims.id) < ($5, $6::uuid))
ORDER BY claims.claim_time DESC, claims.id DESC
LIMIT $2;

-- name: count_claims_by_status
SELECT status, count(*)::integer AS count FROM claims WHERE show_id = $1 GROUP BY status;

-- name: count_found_claims
SELECT claims.status, count(*)::integer AS count
FROM claims
JOIN show_items ON show_items.id = claims.show_item_id
JOIN buyers ON buyers.id = claims.buyer_id
WHERE claims.show_id = $1
  AND strpos(lower(concat_ws(E'\n', handle, display_name, item_number, title)), $2) > 0
GROUP BY claims.status;

-- name: list_buyers
WITH owed AS MATERIALIZED (
  SELECT buyer_id, claim_count, line_count, unpriced_count, total FROM rollups WHERE show_id = $1
), page AS MATERIALIZED (
  SELECT buyers.*, owed.claim_count, owed.line_count, owed.unpriced_count, owed.total
  FROM owed
  JOIN buyers ON buyers.id = owed.buyer_id
  WHERE ($2::text IS NULL OR (buyers.handle, buyers.id) > ($2, $3::uuid))
    AND ($5 = '' OR strpos(lower(concat_ws(E'\n', handle, display_name, email)), $5) > 0)
    AND ($6::uuid IS NULL OR buyers.id = $6)
  ORDER BY buyers.handle, buyers.id
  LIMIT $4
), paid AS MATERIALIZED (
  -- Once for the page, never by row: before statistics catch up with a big run, the planner takes a show to have one
  -- invoice and one link, and goes through all of them for each buyer. For the same reason full joins, which are hashed;
  -- the page has every buyer of both lists.
  SELECT buyer_id, sum(total)::bigint AS total FROM invoices
  WHERE show_id = $1 AND status = 'paid' AND buyer_id = ANY (ARRAY(SELECT id FROM page))
  GROUP BY buyer_id
), links AS MATERIALIZED (
  SELECT buyer_id, token, opened_count, first_opened_at FROM pay_links
  WHERE show_id = $1 AND revoked_at IS NULL AND buyer_id = ANY (ARRAY(SELECT id FROM page))
)
SELECT page.*, links.token AS pay_token, coalesce(links.opened_count, 0) AS opened_count, links.first_opened_at,
       coalesce(paid.total, 0) AS paid_total
FROM page
FULL JOIN paid ON paid.buyer_id = page.id
FULL JOIN links ON links.buyer_id = page.id
ORDER BY page.handle, page.id;

-- name: count_found_buyers
SELECT count(*)::integer
FROM (SELECT DISTINCT buyer_id FROM claims WHERE show_id = $1 AND status = 'winner') AS won
JOIN buyers ON buyers.id = won.buyer_id
WHERE strpos(lower(concat_ws(E'\n', handle, display_name, email)), $2) > 0;

-- name: count_claimed_items
SELECT count(DISTINCT show_item_id)::integer FROM claims WHERE show_id = $1 AND status = 'winner';

-- name: show_platforms
-- Of a page of shows: where their first claims come from, most first.
SELECT show_id, array_agg(platform ORDER BY claims DESC, platform) AS platforms
FROM (
  SELECT wanted.id AS show_id, lower(platform) AS platform, count(*) AS claims
  FROM unnest($1::uuid[]) AS wanted (id)
  CROSS JOIN LATERAL (
    SELECT buyer_id FROM claims WHERE claims.show_id = wanted.id ORDER BY claim_time, claims.id LIMIT 100
  ) AS first
  JOIN buyers ON buyers.id = first.buyer_id
  GROUP BY wanted.id, lower(platform)
) AS found
GROUP BY show_id;

-- name: show_sums
-- Of a page of shows. Only those that changed since they were summed are summed anew, and kept; by id, so that two readers
-- do not wait for each other.
WITH changed AS MATERIALIZED (
  SELECT shows.id, shows.seq FROM shows LEFT JOIN show_sums ON show_sums.show_id = shows.id
  WHERE shows.id = ANY ($1::uuid[]) AND show_sums.seq IS DISTINCT FROM shows.seq
), owed AS (
  SELECT claims.show_id, sum(claims.quantity * show_items.price) AS amount
  FROM changed
  JOIN claims ON claims.show_id = changed.id AND claims.status = 'winner'
  JOIN show_items ON show_items.show_id = claims.show_id AND show_items.id = claims.show_item_id
  GROUP BY claims.show_id
), made AS (
  SELECT invoices.show_id, sum(total) FILTER (WHERE status = 'paid') AS collected,
         count(*) FILTER (WHERE status <> 'void') AS made, count(*) FILTER (WHERE status = 'error') AS failed
  FROM changed JOIN invoices ON invoices.show_id = changed.id
  GROUP BY invoices.show_id
), fresh AS MATERIALIZED (
  SELECT changed.id AS show_id, changed.seq, least(coalesce(owed.amount, 0), 9e18)::bigint AS claimed,
         coalesce(made.collected, 0)::bigint AS collected, coalesce(made.made, 0)::integer AS invoice_count,
         coalesce(made.failed, 0)::integer AS error_count
  FROM changed LEFT JOIN owed ON owed.show_id = changed.id LEFT JOIN made ON made.show_id = changed.id
), kept AS (
  INSERT INTO show_sums (show_id, seq, claimed, collected, invoice_count, error_count)
  SELECT * FROM fresh ORDER BY show_id
  ON CONFLICT (show_id) DO UPDATE
  SET seq = excluded.seq, claimed = excluded.claimed, collected = excluded.collected,
      invoice_count = excluded.invoice_count, error_count = excluded.error_count
  WHERE show_sums.seq < excluded.seq
)
SELECT * FROM fresh
UNION ALL
SELECT show_sums.* FROM show_sums
WHERE show_id = ANY ($1::uuid[]) AND show_id NOT IN (SELECT show_id FROM fresh);

-- name: collected_over_time
-- Payments in at most $2 stretches of equal length, each with all before it.
WITH paid AS MATERIALIZED (
  SELECT extract(epoch FROM paid_at) AS at, paid_at, total FROM invoices
  WHERE show_id = $1 AND status = 'paid' AND paid_at IS NOT NULL
), span AS (
  SELECT min(at) AS first, max(at) AS last FROM paid
), stretches AS (
  SELECT CASE WHEN first = last THEN 1 ELSE width_bucket(at, first, last, greatest($2 - 1, 1)) END AS stretch, paid_at, total
  FROM paid, span
)
SELECT max(paid_at) AS time, sum(sum(total)) OVER (ORDER BY stretch)::bigint AS collected,
       sum(count(*)) OVER (ORDER BY stretch)::integer AS count
FROM stretches GROUP BY stretch ORDER BY stretch;
