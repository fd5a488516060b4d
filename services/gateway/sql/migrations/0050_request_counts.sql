-- migrate:up
-- How often something was asked for in a window of time, by all replicas together. Unlogged: a crash forgets it, no harm done.
CREATE UNLOGGED TABLE request_counts (
    counted_for bytea PRIMARY KEY,
    requests integer NOT NULL,
    window_ends_at timestamptz NOT NULL
);
CREATE INDEX request_counts_by_end ON request_counts (window_ends_at);

-- migrate:down
