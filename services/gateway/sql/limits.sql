-- name: count_requests
-- Counts one request under each key. A window that has passed begins anew. In key order, so that none wait in a circle.
INSERT INTO request_counts AS counted (counted_for, requests, window_ends_at)
SELECT counted_for, 1, now() + make_interval(secs => seconds)
FROM unnest($1::bytea[], $2::integer[]) AS new (counted_for, seconds)
ORDER BY counted_for
ON CONFLICT (counted_for) DO UPDATE SET
    requests = CASE WHEN counted.window_ends_at <= now() THEN 1 ELSE counted.requests + 1 END,
    window_ends_at = CASE WHEN counted.window_ends_at <= now() THEN excluded.window_ends_at
                          ELSE counted.window_ends_at END
RETURNING counted_for, requests,
          extract(epoch FROM window_ends_at - now())::double precision AS seconds_left;

-- name: forget_requests
DELETE FROM request_counts WHERE window_ends_at < now();
