-- name: list_invoices
-- In the order of the plan, after an id.
SELECT * FROM invoice_records
WHERE show_id = $1 AND ($2::invoice_status[] IS NULL OR status = ANY ($2)) AND ($4::uuid IS NULL OR id > $4)
ORDER BY id
LIMIT $3;

-- name: list_these_invoices
SELECT * FROM invoice_records WHERE show_id = $1 AND id = ANY ($2::uuid[]) ORDER BY id;

-- name: list_invoices_by_place
-- By the number $7, where $8 is -1 downwards, after a place and an id; $6 is found in them. What is only sorted is not read
-- whole.
WITH placed AS (
  SELECT id, $8::integer * CASE $7::text
    WHEN 'total' THEN by_total
    WHEN 'line_count' THEN by_line_count
    WHEN 'update_time' THEN by_update_time
    WHEN 'status' THEN by_status
    ELSE 0
  END AS place
  FROM listed_invoices
  WHERE show_id = $1 AND ($2::invoice_status[] IS NULL OR status = ANY ($2)) AND ($6 = '' OR strpos(searched, $6) > 0)
), page AS (
  SELECT id, place FROM placed WHERE $4::bigint IS NULL OR (place, id) > ($4, $5::uuid) ORDER BY place, id LIMIT $3
)
SELECT invoice_records.*, place FROM page JOIN invoice_records USING (id) ORDER BY place, id;

-- name: list_invoices_by_handle
WITH page AS (
  SELECT id, by_handle AS place FROM listed_invoices
  WHERE show_id = $1 AND ($2::invoice_status[] IS NULL OR status = ANY ($2)) AND ($6 = '' OR strpos(searched, $6) > 0)
    AND ($4::text IS NULL OR (by_handle, id) > ($4, $5::uuid))
  ORDER BY place, id
  LIMIT $3
)
SELECT invoice_records.*, place FROM page JOIN invoice_records USING (id) ORDER BY place, id;

-- name: list_invoices_by_handle_downwards
WITH page AS (
  SELECT id, by_handle AS place FROM listed_invoices
  WHERE show_id = $1 AND ($2::invoice_status[] IS NULL OR status = ANY ($2)) AND ($6 = '' OR strpos(searched, $6) > 0)
    AND ($4::text IS NULL OR (by_handle, id) < ($4, $5::uuid))
  ORDER BY place DESC, id DESC
  LIMIT $3
)
SELECT invoice_records.*, place FROM page JOIN invoice_records USING (id) ORDER BY place DESC, id DESC;

-- name: count_invoices
SELECT status, count(*)::integer AS count FROM invoices WHERE show_id = $1 GROUP BY status;

-- name: count_found_invoices
SELECT status, count(*)::integer AS count FROM listed_invoices
WHERE show_id = $1 AND strpos(searched, $2) > 0
GROUP BY status;
