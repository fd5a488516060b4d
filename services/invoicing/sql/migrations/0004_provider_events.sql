-- migrate:up
-- The inbox: every verified event once. The key holds the workspace, the account and the mode, since an operator can sign
-- what they like with their own secret: one workspace's event ids must not get in the way of another's.
CREATE TABLE provider_events (
  workspace_id      uuid NOT NULL,
  provider          integration_provider NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  event_id          text NOT NULL,
  -- The provider's own name of the event.
  event_type        text NOT NULL,
  occurred_at       timestamptz NOT NULL,
  invoice_id        uuid,
  outcome           text NOT NULL,
  received_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (workspace_id, provider, external_account, livemode, event_id)
);

-- migrate:down
