-- name: take_requests
-- Takes $2 requests out of the window that is open now, of $3 seconds. Answers how many are taken by all replicas, these
-- included, and how long the window stays open.
INSERT INTO request_counts AS counted (counted_for, window_began_at, taken)
VALUES ($1, date_bin(make_interval(secs => $3), now(), timestamptz 'epoch'), $2)
ON CONFLICT (counted_for) DO UPDATE SET
    taken = CASE WHEN counted.window_began_at < excluded.window_began_at THEN excluded.taken
                 ELSE counted.taken + excluded.taken END,
    window_began_at = greatest(counted.window_began_at, excluded.window_began_at)
RETURNING taken, extract(epoch FROM window_began_at + make_interval(secs => $3) - now())::double precision AS seconds_left;

-- name: forget_requests
DELETE FROM request_counts WHERE window_began_at < now() - interval '10 minutes';

-- name: hold_key
-- Nothing where somebody else holds the key or has answered under it. One whose holder died may be taken over after $5
-- seconds by the same request; after $6 seconds by any.
INSERT INTO idempotent_answers AS held (workspace_id, key_hash, body_hash, holder)
VALUES ($1, $2, $3, $4)
ON CONFLICT (workspace_id, key_hash) DO UPDATE SET
    body_hash = excluded.body_hash, holder = excluded.holder, held_since = now(),
    status = NULL, headers = NULL, body = NULL
WHERE held.held_since < now() - make_interval(secs => $6)
   OR (held.status IS NULL AND held.body_hash = excluded.body_hash
       AND held.held_since < now() - make_interval(secs => $5))
RETURNING holder;

-- name: find_answer
SELECT body_hash, status, headers, body FROM idempotent_answers WHERE workspace_id = $1 AND key_hash = $2;

-- name: keep_answer
UPDATE idempotent_answers SET status = $4, headers = $5, body = $6
WHERE workspace_id = $1 AND key_hash = $2 AND holder = $3;

-- name: let_key_go
DELETE FROM idempotent_answers WHERE workspace_id = $1 AND key_hash = $2 AND holder = $3;

-- name: forget_answers
DELETE FROM idempotent_answers WHERE held_since < now() - make_interval(secs => $1);
