-- name: find_customer
SELECT id, parameters, customer_id, create_time
FROM customers
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND platform = $5
    AND platform_user_id = $6;

-- name: insert_customer
INSERT INTO customers (workspace_id, provider, account_id, livemode, platform, platform_user_id, id, parameters)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT ON CONSTRAINT one_customer_for_each_buyer DO NOTHING
RETURNING id, parameters, customer_id, create_time;

-- name: settle_customer
-- No row when the record was dropped, or got another customer first.
UPDATE customers
SET customer_id = $2, parameters = $3, update_time = now()
WHERE id = $1 AND coalesce(customer_id, $2) = $2
RETURNING true;

-- name: forget_customer
-- Not one that got another customer since. Without a customer it is a reservation, and $2 is empty.
WITH gone AS (
    DELETE FROM customers WHERE id = $1 AND customer_id IS NOT DISTINCT FROM nullif($2, '') RETURNING *
)
INSERT INTO former_customers (workspace_id, provider, account_id, livemode, platform, platform_user_id, customer_id)
SELECT workspace_id, provider, account_id, livemode, platform, platform_user_id, customer_id
FROM gone
WHERE customer_id IS NOT NULL
ON CONFLICT DO NOTHING;

-- name: ever_customers
-- Every customer that the buyer is or was, the present one first.
SELECT customer_id, 0 AS place
FROM customers
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND platform = $5
    AND platform_user_id = $6 AND customer_id IS NOT NULL
UNION ALL
SELECT customer_id, 1
FROM former_customers
WHERE workspace_id = $1 AND provider = $2 AND account_id = $3 AND livemode = $4 AND platform = $5
    AND platform_user_id = $6
ORDER BY place, customer_id;
