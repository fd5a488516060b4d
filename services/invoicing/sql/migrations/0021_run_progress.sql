-- migrate:up
ALTER TABLE generations
  -- Invoices that a cancelled run left unmade, and single ones that were voided before they were made.
  ADD COLUMN cancelled_count integer NOT NULL DEFAULT 0,
  -- Results per second, each result weighing less the older it is: as it stood at rated_at. See domain/progress.py.
  ADD COLUMN rate double precision NOT NULL DEFAULT 0,
  ADD COLUMN rated_at timestamptz NOT NULL DEFAULT clock_timestamp();

-- migrate:down
