-- migrate:up
-- Which of our verbs lacked a permission: another one that succeeds says nothing of it.
ALTER TABLE integrations ADD COLUMN hindered_verb text NOT NULL DEFAULT '';

-- migrate:down
