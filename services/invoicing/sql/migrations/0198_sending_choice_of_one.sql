-- migrate:up
-- Whether the link of this one goes out on its own, where it was tried again together with others of which something else was
-- chosen; else its run says so.
ALTER TABLE invoices ADD COLUMN sends boolean;

-- migrate:down
