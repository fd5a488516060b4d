-- migrate:up
CREATE TYPE invoice_change AS ENUM ('edit_draft', 'reissue', 'void');

-- beside_total: minor units that the buyer's other invoices had settled when this one was planned.
-- change: what is under way with an invoice that stands. It makes the row an entry of the queue once more.
ALTER TABLE invoices
  ADD COLUMN beside_total bigint NOT NULL DEFAULT 0,
  ADD COLUMN change invoice_change;

-- What an invoice with a change is to become, or what takes its place: as it was planned, whatever is claimed meanwhile.
CREATE TABLE planned_changes (
  invoice_id      uuid PRIMARY KEY REFERENCES invoices,
  generation_id   uuid NOT NULL REFERENCES generations,
  -- Minor units.
  total           bigint NOT NULL,
  line_items      jsonb NOT NULL,
  line_count      integer NOT NULL,
  unpriced_count  integer NOT NULL,
  planned_digest  text NOT NULL,
  beside_total    bigint NOT NULL,
  draft_reason    draft_reason,
  buyer           jsonb NOT NULL
);

-- Of total_count, the changes of invoices that stood before.
ALTER TABLE generations ADD COLUMN change_count integer NOT NULL DEFAULT 0;

DROP INDEX invoices_queue;
CREATE INDEX invoices_queue ON invoices (workspace_id, provider, external_account, livemode, show_id, id)
  WHERE status = 'pending' OR change IS NOT NULL;

-- migrate:down
