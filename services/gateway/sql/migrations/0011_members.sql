-- migrate:up
-- The version rises with every change of the role, so that of two people who change it one is told.
ALTER TABLE memberships ADD COLUMN version integer NOT NULL DEFAULT 1, ADD COLUMN opened_at timestamptz;

-- migrate:down
