-- migrate:up
-- How far what happened at a provider account has been read, past all webhooks, and how the last reading went.
CREATE TABLE sweeps (
  workspace_id      uuid NOT NULL,
  provider          integration_provider NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  -- Every event up to here was read. By the provider's clock.
  read_until        timestamptz NOT NULL,
  -- Of a reading that is not finished: where it goes on, and the newest event that it met.
  page_token        text NOT NULL DEFAULT '',
  newest            timestamptz,
  due_at            timestamptz NOT NULL DEFAULT '-infinity',
  lease_owner       uuid,
  lease_expires_at  timestamptz NOT NULL DEFAULT '-infinity',
  tried_at          timestamptz,
  succeeded_at      timestamptz,
  -- A finished sentence while the last try failed, and how many failed in a row.
  failure           text NOT NULL DEFAULT '',
  failure_count     integer NOT NULL DEFAULT 0,
  -- When a reading last moved an invoice by an event that a webhook should have brought.
  missed_at         timestamptz,
  -- When a webhook of the account was last applied.
  heard_at          timestamptz,
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (workspace_id, provider, external_account, livemode)
);
CREATE INDEX sweeps_due ON sweeps (due_at);

-- migrate:down
