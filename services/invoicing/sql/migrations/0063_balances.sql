-- migrate:up
-- What the money of each show came to when it was last looked at.
CREATE TABLE balances (
  show_id     uuid PRIMARY KEY REFERENCES shows,
  -- The show's position then: another one now means that something changed.
  seq         bigint NOT NULL,
  -- Minor units, and buyers, that neither claims, nor prices, nor an edit at the provider explain.
  off_by      bigint NOT NULL,
  off_buyers  integer NOT NULL,
  checked_at  timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX balances_off ON balances (show_id) WHERE off_buyers > 0;

-- migrate:down
