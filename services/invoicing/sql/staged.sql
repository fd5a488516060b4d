-- name: stage
INSERT INTO staged (stream_id, major_key, minor_key, place, body)
SELECT $1, row.major_key, row.minor_key, row.place, row.body
FROM unnest($2::text[], $3::text[], $4::integer[], $5::jsonb[]) AS row (major_key, minor_key, place, body);

-- name: staged_rows
SELECT major_key, minor_key, place, body FROM staged
WHERE stream_id = $1 AND (major_key, minor_key, place) > ($2::text, $3::text, $4::integer)
ORDER BY major_key, minor_key, place
LIMIT $5;

-- name: unstage
DELETE FROM staged WHERE stream_id = $1;
