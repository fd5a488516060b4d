-- migrate:up
-- As 0072: these rows are derived in one statement from an invoice and a run that are locked or just written, and neither is
-- ever deleted. For 20,000 changes the checks took a seventh of the statement; that of a replaced invoice was made for each
-- new one, which replaces none.
ALTER TABLE planned_changes
  DROP CONSTRAINT planned_changes_invoice_id_fkey,
  DROP CONSTRAINT planned_changes_generation_id_fkey;
ALTER TABLE invoices DROP CONSTRAINT invoices_replaces_id_fkey;

-- migrate:down
