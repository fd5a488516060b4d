-- migrate:up
-- Marks that a provider was asked for, kept until it is known what became of them: an answer may get lost, and then the
-- payment that an event tells of is the mark itself. One that nobody answered stays: it says how the invoice was paid.
-- tries: how many may have reached the provider and have not been answered; none of them when it is 0.
CREATE TABLE asked_marks (
  invoice_id uuid PRIMARY KEY,
  note text NOT NULL,
  actor text NOT NULL,
  total bigint NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tried_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  tries integer NOT NULL DEFAULT 1
);

INSERT INTO asked_marks (invoice_id, note, actor, total, asked_at)
SELECT invoice_id, note, actor, total, asked_at FROM planned_changes JOIN generations ON generations.id = generation_id
WHERE asked AND asked_at IS NOT NULL;

-- A replica of before does not know the new table: it finds no mark that it may carry out without these columns.
ALTER TABLE planned_changes DROP COLUMN asked, DROP COLUMN asked_at;

-- migrate:down
