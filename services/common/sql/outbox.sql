-- The table that both gRPC services make in their own migrations:
--   CREATE TABLE outbox (id uuid PRIMARY KEY, subject text NOT NULL, payload bytea NOT NULL,
--                        request_id text NOT NULL, create_time timestamptz NOT NULL DEFAULT clock_timestamp());

-- name: outbox_add
INSERT INTO outbox (id, subject, payload, request_id)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[]);

-- name: outbox_remove
DELETE FROM outbox WHERE id = ANY($1::uuid[]);

-- name: outbox_left_over
-- Ids are UUIDv7, hence in order of writing.
SELECT id, subject, payload, request_id
FROM outbox
WHERE create_time < clock_timestamp() - make_interval(secs => $1)
ORDER BY id
LIMIT 500
FOR UPDATE SKIP LOCKED;
