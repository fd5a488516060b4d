-- migrate:up
-- Whether whoever started the run chose that its links go out on their own, or that they do not; else the setting counts.
ALTER TABLE generations ADD COLUMN sending_choice boolean;

-- migrate:down
