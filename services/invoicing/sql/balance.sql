-- name: unbalanced_since
-- Shows that changed since their money was looked at, but not within the last $1 seconds: a show under way changes all the
-- time. What did not balance is looked at again after $3 seconds: it may have been put right by hand, past the events of the
-- show. Those that wait the longest come first.
SELECT shows.id, shows.workspace_id, shows.seq
FROM shows LEFT JOIN balances ON balances.show_id = shows.id
WHERE (shows.seq > coalesce(balances.seq, 0)
       OR balances.off_buyers > 0 AND balances.checked_at < clock_timestamp() - make_interval(secs => $3))
  AND (balances.checked_at IS NULL OR balances.checked_at < clock_timestamp() - make_interval(secs => $1))
ORDER BY balances.checked_at NULLS FIRST
LIMIT $2;

-- name: lock_balance
-- One replica looks at a show at a time; no row where another does.
SELECT pg_try_advisory_xact_lock(hashtextextended('balance ' || $1::uuid, 0)) AS mine;

-- name: write_balance
INSERT INTO balances (show_id, seq, off_by, off_buyers) VALUES ($1, $2, $3, $4)
ON CONFLICT (show_id) DO UPDATE
SET seq = excluded.seq, off_by = excluded.off_by, off_buyers = excluded.off_buyers, checked_at = clock_timestamp()
WHERE balances.seq <= excluded.seq;

-- name: put_off_balance
-- It could not be looked at: it stays due, behind those that wait longer.
INSERT INTO balances (show_id, seq, off_by, off_buyers) VALUES ($1, 0, 0, 0)
ON CONFLICT (show_id) DO UPDATE SET checked_at = clock_timestamp();

-- name: count_unbalanced
SELECT count(*)::integer AS shows, coalesce(sum(abs(off_by)), 0)::bigint AS amount FROM balances WHERE off_buyers > 0;
