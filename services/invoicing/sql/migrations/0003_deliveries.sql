-- migrate:up
CREATE TYPE delivery_channel AS ENUM ('email', 'dm', 'manual');
CREATE TYPE delivery_state AS ENUM ('requested', 'delivered', 'failed');

-- Every attempt to deliver a checkout link, with what became of it.
CREATE TABLE deliveries (
  id            uuid PRIMARY KEY,
  workspace_id  uuid NOT NULL,
  invoice_id    uuid NOT NULL REFERENCES invoices,
  channel       delivery_channel NOT NULL,
  state         delivery_state NOT NULL,
  reason        text NOT NULL,
  message       text NOT NULL,
  link          text NOT NULL,
  request_id    uuid,
  actor         text NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (workspace_id, request_id)
);
CREATE INDEX deliveries_of_invoice ON deliveries (invoice_id, id);

-- migrate:down
