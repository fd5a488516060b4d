-- migrate:up
-- Where somebody signed in before. Strangers who guess at their password elsewhere do not slow them down there.
CREATE TABLE known_places (
    -- The hash of the cookie of a device, or of a network.
    mark bytea NOT NULL,
    user_id uuid NOT NULL REFERENCES users ON DELETE CASCADE,
    seen_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (mark, user_id)
);
CREATE INDEX known_places_user ON known_places (user_id);
CREATE INDEX known_places_age ON known_places (seen_at);

-- migrate:down
