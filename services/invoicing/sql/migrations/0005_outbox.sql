-- migrate:up
CREATE TABLE outbox (
  id           uuid PRIMARY KEY,
  subject      text NOT NULL,
  payload      bytea NOT NULL,
  request_id   text NOT NULL,
  create_time  timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- migrate:down
