-- migrate:up
-- A run that delivers the links of many invoices. Where it stands is what its deliveries say.
CREATE TABLE sendings (
  id             uuid PRIMARY KEY,
  workspace_id   uuid NOT NULL,
  show_id        uuid NOT NULL REFERENCES shows,
  request_id     uuid,
  total_count    integer NOT NULL,
  -- Invoices that cannot be mailed and were given no other channel.
  skipped_count  integer NOT NULL,
  actor          text NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (workspace_id, request_id)
);

-- What is sent on its own after a generation, and how: the settings as they were when it began.
ALTER TABLE generations
  ADD COLUMN automatic_sending boolean NOT NULL DEFAULT false,
  ADD COLUMN message_template  text NOT NULL DEFAULT '',
  ADD COLUMN pay_link_base     text NOT NULL DEFAULT '';

-- A queued delivery is the queue of sending and, by its id, the idempotency key of it.
ALTER TABLE deliveries
  ADD COLUMN show_id           uuid REFERENCES shows,
  -- The account whose pace it goes at: the invoice's. NULL only where a replica of the version before wrote the row.
  ADD COLUMN provider          integration_provider,
  ADD COLUMN external_account  text,
  ADD COLUMN livemode          boolean,
  ADD COLUMN sending_id        uuid REFERENCES sendings,
  ADD COLUMN automatic         boolean NOT NULL DEFAULT false,
  -- What the message is made of, once its turn comes.
  ADD COLUMN template          text NOT NULL DEFAULT '',
  ADD COLUMN pay_link_base     text NOT NULL DEFAULT '',
  -- Who is delivering it now, and until when nobody else may.
  ADD COLUMN lease_owner       uuid,
  ADD COLUMN lease_expires_at  timestamptz,
  ADD COLUMN not_before        timestamptz NOT NULL DEFAULT '-infinity',
  ADD COLUMN first_try_at      timestamptz,
  ADD COLUMN tries             integer NOT NULL DEFAULT 0,
  ADD COLUMN finished_at       timestamptz;

UPDATE deliveries
SET show_id = invoices.show_id, provider = invoices.provider, external_account = invoices.external_account,
    livemode = invoices.livemode, finished_at = CASE WHEN state <> 'requested' THEN deliveries.created_at END
FROM invoices WHERE invoices.id = deliveries.invoice_id;

-- What a crash left of an e-mail, when nobody took it up again.
UPDATE deliveries
SET state = 'failed', finished_at = clock_timestamp(),
    reason = 'It is not known whether the provider mailed the link. Send it again if the buyer did not get it.'
WHERE channel = 'email' AND state = 'requested';

CREATE INDEX deliveries_queue ON deliveries (workspace_id, provider, external_account, livemode, show_id, id)
  WHERE state = 'queued';
CREATE INDEX deliveries_open ON deliveries (invoice_id) WHERE state IN ('queued', 'requested');
CREATE INDEX deliveries_of_sending ON deliveries (sending_id, id) INCLUDE (state, finished_at) WHERE sending_id IS NOT NULL;
CREATE UNIQUE INDEX deliveries_automatic_once ON deliveries (invoice_id) WHERE automatic;

-- migrate:down
