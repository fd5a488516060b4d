-- name: create_show
INSERT INTO shows (id, workspace_id, name, currency, request_id, start_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (workspace_id, request_id) DO NOTHING
RETURNING *;

-- name: show_of_request
SELECT * FROM shows WHERE workspace_id = $1 AND request_id = $2;

-- name: get_show
SELECT * FROM shows WHERE id = $1 AND workspace_id = $2;

-- name: lock_show
SELECT * FROM shows WHERE id = $1 AND workspace_id = $2 FOR NO KEY UPDATE;

-- name: currency_of_show
SELECT currency FROM shows WHERE id = $1;

-- name: list_shows
SELECT * FROM shows
WHERE workspace_id = $1 AND ($2::uuid IS NULL OR id < $2)
  AND ($4 = '' OR strpos(lower(name), $4) > 0)
  AND (cardinality($5::text[]) = 0 OR state::text = ANY ($5))
ORDER BY id DESC
LIMIT $3;

-- name: count_shows
-- By state, of what is found by name.
SELECT state, count(*)::integer AS count FROM shows
WHERE workspace_id = $1 AND ($2 = '' OR strpos(lower(name), $2) > 0)
GROUP BY state;

-- name: update_show
UPDATE shows SET name = $2, currency = $3, start_at = $4, state = $5, end_at = $6 WHERE id = $1;

-- name: show_has_invoices
SELECT EXISTS (SELECT FROM invoices WHERE show_id = $1);

-- name: show_has_prices
-- A price of 0 is the same in every currency.
SELECT EXISTS (SELECT FROM show_items WHERE show_id = $1 AND price > 0);

-- name: take_positions
-- Positions for events: answers the last of the `count` that each show gives out. Locked in id order.
WITH wanted AS (
  SELECT * FROM unnest($1::uuid[], $2::bigint[]) AS wanted (id, count)
), locked AS (
  SELECT id FROM shows WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE
)
UPDATE shows SET seq = seq + wanted.count
FROM wanted JOIN locked USING (id)
WHERE shows.id = wanted.id
RETURNING shows.id, shows.seq;

-- name: upsert_items
INSERT INTO show_items (id, show_id, item_number, title, price, quantity)
SELECT item.id, $1, item.item_number, item.title, item.price, item.quantity
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])
  AS item (id, item_number, title, price, quantity)
ON CONFLICT (show_id, item_number) DO UPDATE
SET title = excluded.title, price = excluded.price, quantity = excluded.quantity
WHERE (show_items.title, show_items.price, show_items.quantity)
  IS DISTINCT FROM (excluded.title, excluded.price, excluded.quantity)
RETURNING id;

-- name: add_to_item_count
UPDATE shows SET item_count = item_count + $2 WHERE id = $1;

-- name: get_item
SELECT id, item_number, title, price, quantity FROM show_items WHERE show_id = $1 AND item_number = $2;

-- name: create_item
INSERT INTO show_items (id, show_id, item_number, title, price, quantity) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (show_id, item_number) DO NOTHING
RETURNING id, item_number, title, price, quantity;

-- name: update_item
UPDATE show_items SET title = $2, price = $3, quantity = $4 WHERE id = $1
RETURNING id, item_number, title, price, quantity;

-- name: list_items
SELECT id, item_number, number_order, title, price, quantity FROM show_items
WHERE show_id = $1 AND ($2::text IS NULL OR number_order > $2)
ORDER BY number_order
LIMIT $3;

-- name: mailable
-- Of the chosen ones that are payable, or of all that are unsent too, those made for the address at which the buyer is
-- reached now, without the providers that mail nothing: what is mailed.
SELECT coalesce(sum(total), 0)::bigint AS amount, count(*)::integer AS count
FROM invoices
WHERE show_id = $1 AND draft_reason IS NULL AND provider::text <> ALL ($3)
  AND CASE WHEN $2::uuid[] IS NULL THEN status = 'draft'
           ELSE id = ANY ($2) AND status IN ('draft', 'sent', 'payment_failed') END
  -- By row, never as a join: the planner may take a young show to have one invoice.
  AND lower(coalesce(mailed_to, buyer ->> 'email')) = (SELECT lower(email) FROM buyers WHERE buyers.id = invoices.buyer_id AND email <> '');

-- name: show_owed
-- How much buyers won in all, and who owes most.
WITH owed AS MATERIALIZED (
  SELECT buyer_id, line_count, total FROM rollups WHERE show_id = $1
)
SELECT (SELECT coalesce(sum(line_count), 0)::integer FROM owed) AS line_count, largest.total AS largest_total,
       coalesce(nullif(handle, ''), nullif(display_name, ''), platform_user_id) AS largest_buyer
FROM (SELECT buyer_id, total FROM owed ORDER BY total DESC, buyer_id LIMIT 1) AS largest
JOIN buyers ON buyers.id = largest.buyer_id
WHERE largest.total > 0;

-- name: show_summary
-- Every sum of a show at one moment: what was claimed, what of it was not invoiced, and the invoices by where they stand.
WITH owed AS MATERIALIZED (
  SELECT buyer_id, total, unpriced_count FROM rollups WHERE show_id = $1
), made AS MATERIALIZED (
  SELECT buyer_id, total, CASE WHEN status = 'draft' AND draft_reason IS NOT NULL THEN 'held_back' ELSE status::text END AS part
  FROM invoices WHERE show_id = $1
), invoiced AS MATERIALIZED (
  SELECT buyer_id, sum(total) AS total FROM made WHERE part <> 'void' GROUP BY buyer_id
), differing AS MATERIALIZED (
  SELECT buyer_id, coalesce(owed.total, 0) - invoiced.total AS difference FROM owed FULL JOIN invoiced USING (buyer_id)
  WHERE invoiced.total <> coalesce(owed.total, 0)
)
SELECT part, sum(total)::bigint AS amount, count(*)::integer AS count FROM made GROUP BY part
UNION ALL
SELECT 'claimed', coalesce(sum(total), 0)::bigint, count(*)::integer FROM owed
UNION ALL
SELECT 'unpriced_lines', 0, coalesce(sum(unpriced_count), 0)::integer FROM owed
UNION ALL
SELECT 'not_invoiced', coalesce(sum(owed.total), 0)::bigint, count(*)::integer
FROM owed FULL JOIN invoiced USING (buyer_id)
WHERE invoiced.buyer_id IS NULL
UNION ALL
SELECT 'moved', coalesce(sum(difference), 0)::bigint, count(*)::integer FROM differing
UNION ALL
-- Nothing was edited at the provider, and the newest invoice was planned from just what is owed now: yet the sum is another.
SELECT 'unexplained', coalesce(sum(difference), 0)::bigint, count(*)::integer
FROM differing, LATERAL (
  SELECT bool_or(adjusted_at_provider) AS adjusted,
         (array_agg(planned_digest ORDER BY revision DESC))[1] AS planned_digest
  FROM invoices WHERE invoices.show_id = $1 AND invoices.buyer_id = differing.buyer_id AND status <> 'void'
) AS newest
WHERE NOT adjusted AND planned_digest = (
  SELECT digest FROM rollups WHERE rollups.show_id = $1 AND rollups.buyer_id = differing.buyer_id
)
UNION ALL
SELECT 'stray', coalesce(sum(total), 0)::bigint, count(*)::integer FROM stray_payments WHERE show_id = $1 AND settled_at IS NULL;
