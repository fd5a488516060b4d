-- migrate:up
-- As 0140 for claims and items: a show that came after the last ANALYZE is taken to have one invoice and one link, and the
-- planner goes through all of the show for one buyer's.
ALTER TABLE invoices ALTER COLUMN show_id SET STATISTICS 0;
ALTER TABLE pay_links ALTER COLUMN show_id SET STATISTICS 0;

-- What was collected before stays, and misleads on: ANALYZE passes a column without statistics over. Cleared where Postgres
-- lets an owner do it (since 18).
DO $$
BEGIN
  IF to_regproc('pg_catalog.pg_clear_attribute_stats') IS NOT NULL THEN
    PERFORM pg_clear_attribute_stats(current_schema(), told.name, 'show_id', false)
    FROM unnest(ARRAY['claims', 'show_items', 'invoices', 'pay_links']) AS told (name);
  END IF;
END
$$;

-- migrate:down
