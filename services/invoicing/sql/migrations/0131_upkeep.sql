-- migrate:up
-- Of messages that the messaging service was asked for and never reported: the longest ago first.
CREATE INDEX deliveries_unreported ON deliveries ((coalesce(first_try_at, created_at))) WHERE state = 'requested';
-- Of events that were about nobody's invoice here: the oldest first.
CREATE INDEX provider_events_of_none ON provider_events (received_at) WHERE invoice_id IS NULL;

-- migrate:down
