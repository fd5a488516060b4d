-- name: known_marks
-- An e-mail address as accounts are found by it, and those of the marks that its account has signed in with.
SELECT lower($1::text) AS person, ARRAY(
    SELECT known_places.mark FROM known_places JOIN users ON users.id = known_places.user_id
    WHERE known_places.mark = ANY($2::bytea[]) AND lower(users.email) = lower($1)
) AS marks;

-- name: is_mark
SELECT EXISTS (SELECT FROM known_places WHERE mark = $1);

-- name: remember_marks
-- While the session that was opened there stands: whoever ends it with the password, and then forgets the marks, waits
-- for us, or we wait for them, and keep none.
WITH here AS (
    SELECT user_id FROM sessions WHERE id = $1 FOR KEY SHARE
)
INSERT INTO known_places (mark, user_id) SELECT mark, user_id FROM here, unnest($2::bytea[]) AS mark
ON CONFLICT (mark, user_id) DO UPDATE SET seen_at = now();

-- name: forget_marks_beyond
-- Of a person, all but the newest. What another sign-in of theirs has in hand just now is left to it.
DELETE FROM known_places USING (
    SELECT mark, user_id FROM known_places
    WHERE user_id = $1
      AND mark IN (SELECT mark FROM known_places WHERE user_id = $1 ORDER BY seen_at DESC OFFSET $2)
    FOR UPDATE SKIP LOCKED
) AS old
WHERE known_places.mark = old.mark AND known_places.user_id = old.user_id;

-- name: forget_marks_of_user
DELETE FROM known_places WHERE user_id = $1;

-- name: forget_old_marks
DELETE FROM known_places WHERE seen_at < now() - make_interval(secs => $1);
