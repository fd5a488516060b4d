-- name: add_audit
INSERT INTO audit (id, workspace_id, integration_id, provider, action, actor, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: add_refusal
-- With the connection in use, if there is one.
INSERT INTO audit (id, workspace_id, integration_id, provider, action, actor, detail)
VALUES (
    $1, $2,
    (SELECT id FROM integrations WHERE workspace_id = $2 AND provider = $3 AND status <> 'inactive'),
    $3, $4, $5, $6
);

-- name: count_audit
-- Adds to the counts of this hour. A connection that is not there, or not of that workspace, is left out.
INSERT INTO audit AS a (id, workspace_id, integration_id, provider, action, actor, detail, hour, count)
SELECT n.id, i.workspace_id, i.id, i.provider, $1, n.actor, n.detail, n.hour, n.count
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::bigint[])
    AS n (id, workspace_id, integration_id, actor, detail, hour, count)
JOIN integrations i ON i.id = n.integration_id AND i.workspace_id = n.workspace_id
ON CONFLICT (integration_id, action, actor, detail, hour) WHERE hour IS NOT NULL
DO UPDATE SET count = a.count + excluded.count;

-- name: list_audit
-- A page, newest first, of what comes before $3.
SELECT id, provider, action, actor, detail, count, create_time
FROM audit
WHERE workspace_id = $1 AND provider = $2 AND ($3::uuid IS NULL OR id < $3)
ORDER BY id DESC
LIMIT $4;
