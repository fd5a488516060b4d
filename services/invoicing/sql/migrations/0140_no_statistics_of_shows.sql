-- migrate:up
-- A show that came after the last ANALYZE is none of the values that statistics know: the planner then takes it to have one
-- row, and joins its claims to its items by looking through all items for each claim. Without statistics of its own it
-- counts on a two-hundredth of the table for any show, which is right for none and good for all.
ALTER TABLE claims ALTER COLUMN show_id SET STATISTICS 0;
ALTER TABLE show_items ALTER COLUMN show_id SET STATISTICS 0;

-- migrate:down
