-- name: take_slot
-- Takes the account's next free moment and the operation's, both or neither: no row when the later of them is more than
-- $7 seconds away. $4 operation, $5 and $6 seconds between two calls of the account and of the operation, $8 seconds'
-- worth of calls that an idle account may make at once. Answers how long to wait.
INSERT INTO pace AS p (provider, account_id, livemode, free_at, operations_free_at)
VALUES (
    $1, $2, $3,
    extract(epoch FROM clock_timestamp()) - $8::float8 + $5::float8,
    jsonb_build_object($4::text, extract(epoch FROM clock_timestamp()) - $8::float8 + $6::float8)
)
ON CONFLICT (provider, account_id, livemode) DO UPDATE
SET free_at = greatest(p.free_at, extract(epoch FROM clock_timestamp()) - $8::float8) + $5::float8,
    operations_free_at = p.operations_free_at || jsonb_build_object(
        $4::text,
        greatest((p.operations_free_at ->> $4)::float8, extract(epoch FROM clock_timestamp()) - $8::float8) + $6::float8
    )
WHERE greatest(p.free_at, (p.operations_free_at ->> $4)::float8) <= extract(epoch FROM clock_timestamp()) + $7::float8
RETURNING greatest(free_at - $5::float8, (operations_free_at ->> $4)::float8 - $6::float8)
    - extract(epoch FROM clock_timestamp()) AS wait;

-- name: slot_delay
SELECT greatest(free_at, (operations_free_at ->> $4)::float8) - extract(epoch FROM clock_timestamp()) AS wait
FROM pace
WHERE provider = $1 AND account_id = $2 AND livemode = $3;

-- name: hold_account
-- The provider said that the account is too fast: the next free moment comes in $4 seconds, however many calls heard it.
UPDATE pace
SET free_at = greatest(free_at, extract(epoch FROM clock_timestamp()) + $4::float8)
WHERE provider = $1 AND account_id = $2 AND livemode = $3;

-- name: hold_operation
-- The same for the operation $5 alone.
UPDATE pace
SET operations_free_at = operations_free_at || jsonb_build_object(
    $5::text, greatest((operations_free_at ->> $5)::float8, extract(epoch FROM clock_timestamp()) + $4::float8))
WHERE provider = $1 AND account_id = $2 AND livemode = $3;
