-- migrate:up
-- How many events came lately. They are written in the order of their arrival, so a summary of each block finds them.
CREATE INDEX provider_events_by_arrival ON provider_events USING brin (received_at) WITH (autosummarize = on);

-- migrate:down
