-- migrate:up
-- Requests of a window of time. Not logged: after a crash counting begins anew, and nothing is lost by that.
CREATE UNLOGGED TABLE request_counts (
    counted_for bytea PRIMARY KEY,
    window_began_at timestamptz NOT NULL,
    taken bigint NOT NULL
);

-- migrate:down
