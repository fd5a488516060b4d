-- migrate:up
CREATE TYPE integration_provider AS ENUM ('stripe', 'shopify', 'square', 'medusajs', 'paypal', 'quickbooks', 'manual');
CREATE TYPE invoice_status AS ENUM ('pending', 'draft', 'sent', 'paid', 'error', 'payment_failed', 'void', 'uncollectible');
CREATE TYPE draft_reason AS ENUM ('needs_price', 'below_minimum');
CREATE TYPE generation_state AS ENUM ('running', 'finished', 'cancelled');

-- A run that brings chosen buyers to invoices. Its counts are of this run: a later retry is a run of its own.
CREATE TABLE generations (
  id               uuid PRIMARY KEY,
  workspace_id     uuid NOT NULL,
  show_id          uuid NOT NULL REFERENCES shows,
  state            generation_state NOT NULL,
  request_id       uuid,
  plan_hash        text NOT NULL,
  total_count      integer NOT NULL,
  created_count    integer NOT NULL DEFAULT 0,
  failed_count     integer NOT NULL DEFAULT 0,
  draft_count      integer NOT NULL DEFAULT 0,
  unchanged_count  integer NOT NULL,
  skipped_buyers   jsonb NOT NULL,
  actor            text NOT NULL,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  finished_at      timestamptz,
  -- When generation.progressed was last sent.
  reported_at      timestamptz NOT NULL DEFAULT '-infinity',
  UNIQUE (workspace_id, request_id)
);
CREATE INDEX generations_running ON generations (show_id) WHERE state = 'running';

-- What one buyer owes for one show. A pending row is at once the queue and the idempotency key of making it.
CREATE TABLE invoices (
  id                uuid PRIMARY KEY,
  workspace_id      uuid NOT NULL,
  show_id           uuid NOT NULL REFERENCES shows,
  buyer_id          uuid NOT NULL REFERENCES buyers,
  generation_id     uuid NOT NULL REFERENCES generations,
  status            invoice_status NOT NULL DEFAULT 'pending',
  draft_reason      draft_reason,
  status_reason     text NOT NULL DEFAULT '',
  -- Minor units.
  total             bigint NOT NULL,
  currency          text NOT NULL,
  line_items        jsonb NOT NULL,
  line_count        integer NOT NULL,
  unpriced_count    integer NOT NULL,
  -- The rollup's digest when this was planned: another one now means that claims or prices changed.
  planned_digest    text NOT NULL,
  -- Buyer and show as the provider is told of them: the same on every try of an attempt, whatever is renamed meanwhile.
  buyer             jsonb NOT NULL,
  show_name         text NOT NULL,
  show_date         date NOT NULL,
  revision          integer NOT NULL,
  attempt           integer NOT NULL DEFAULT 1,
  version           bigint NOT NULL DEFAULT 1,
  provider          integration_provider NOT NULL,
  integration_id    uuid NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  external_id       text NOT NULL DEFAULT '',
  -- The provider's page for the buyer, and when it was read: it expires.
  external_url      text NOT NULL DEFAULT '',
  external_url_at   timestamptz,
  -- The provider's page for the operator.
  provider_url      text NOT NULL DEFAULT '',
  number            text NOT NULL DEFAULT '',
  adjusted_at_provider boolean NOT NULL DEFAULT false,
  paid_at           timestamptz,
  sent_at           timestamptz,
  send_count        integer NOT NULL DEFAULT 0,
  -- Who is making it now, and until when nobody else may.
  lease_owner       uuid,
  lease_expires_at  timestamptz,
  not_before        timestamptz NOT NULL DEFAULT '-infinity',
  first_attempt_at  timestamptz,
  tries             integer NOT NULL DEFAULT 0,
  -- When it was last read from the provider, or was known to be right.
  checked_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  created_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
  updated_at        timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE UNIQUE INDEX invoices_once_per_revision ON invoices (show_id, buyer_id, revision);
CREATE UNIQUE INDEX invoices_one_unsettled ON invoices (show_id, buyer_id)
  WHERE status NOT IN ('paid', 'void', 'uncollectible');
CREATE UNIQUE INDEX invoices_by_external_id ON invoices (workspace_id, provider, external_account, livemode, external_id)
  WHERE external_id <> '';
CREATE INDEX invoices_of_show ON invoices (show_id, id) INCLUDE (status, total);
CREATE INDEX invoices_queue ON invoices (workspace_id, provider, external_account, livemode, show_id, id)
  WHERE status = 'pending';
CREATE INDEX invoices_to_check ON invoices (checked_at)
  WHERE status IN ('draft', 'sent', 'payment_failed') AND external_id <> '';

CREATE TABLE invoice_history (
  invoice_id   uuid NOT NULL REFERENCES invoices,
  version      bigint NOT NULL,
  from_status  invoice_status,
  to_status    invoice_status NOT NULL,
  reason       text NOT NULL,
  actor        text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (invoice_id, version)
);

-- The stable address of a buyer's invoice of a show, over reissues.
CREATE TABLE pay_links (
  token            text PRIMARY KEY,
  show_id          uuid NOT NULL REFERENCES shows,
  buyer_id         uuid NOT NULL REFERENCES buyers,
  created_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
  revoked_at       timestamptz,
  opened_count     integer NOT NULL DEFAULT 0,
  first_opened_at  timestamptz
);
CREATE UNIQUE INDEX pay_links_in_force ON pay_links (show_id, buyer_id) INCLUDE (token) WHERE revoked_at IS NULL;

-- What invoices are read as: everything but the lines, with the buyer's labels and pay link.
CREATE VIEW invoice_records AS
SELECT invoices.id, invoices.workspace_id, invoices.show_id, invoices.buyer_id, generation_id, platform, platform_user_id,
       handle, display_name, email, status, draft_reason, status_reason, total, currency,
       line_count, unpriced_count, revision, attempt, version, provider, external_account, livemode, external_id,
       external_url, external_url_at, provider_url, number, adjusted_at_provider, paid_at, sent_at, send_count,
       invoices.created_at, updated_at,
       -- By row, never as a join: before statistics catch up with a big run, the planner takes a show to have one link.
       (SELECT token FROM pay_links
        WHERE pay_links.show_id = invoices.show_id AND pay_links.buyer_id = invoices.buyer_id AND revoked_at IS NULL
       ) AS pay_token
FROM invoices
JOIN buyers ON buyers.id = invoices.buyer_id;

-- migrate:down
