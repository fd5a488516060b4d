-- migrate:up
-- Money that came in for what a late try had left at a provider: it counts for no invoice, and is to be given back. Told on
-- the show's page for as long as the row stands.
CREATE TABLE stray_payments (
  invoice_id        uuid NOT NULL REFERENCES invoices,
  show_id           uuid NOT NULL REFERENCES shows,
  provider          integration_provider NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  external_id       text NOT NULL,
  -- Minor units.
  total             bigint NOT NULL,
  currency          text NOT NULL,
  noted_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (provider, external_account, livemode, external_id)
);
CREATE INDEX stray_payments_of_show ON stray_payments (show_id);

-- Since when something is looked for.
ALTER TABLE leftovers ADD COLUMN noted_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- migrate:down
