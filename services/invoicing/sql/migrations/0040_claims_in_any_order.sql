-- migrate:up
-- When the claim was made that a label comes from: an older claim does not set an older label back.
ALTER TABLE buyers
  ADD COLUMN handle_at timestamptz NOT NULL DEFAULT '-infinity',
  ADD COLUMN display_name_at timestamptz NOT NULL DEFAULT '-infinity';

-- What a claim names, for the rare two states of a claim that nothing else tells apart: ids would not do, for they come
-- in the order in which buyers were first heard of.
CREATE FUNCTION claim_names(item uuid, buyer uuid) RETURNS text[] LANGUAGE sql STABLE
RETURN (SELECT ARRAY[item_number, platform, platform_user_id]
        FROM show_items, buyers WHERE show_items.id = item AND buyers.id = buyer);

-- The rows of a stream that is taken whole or not at all, until its end is reached. Written and removed in the one
-- transaction of that stream, hence never seen by another and never left behind.
CREATE UNLOGGED TABLE staged (
  stream_id  uuid NOT NULL,
  -- Rows are applied in the order of these, so that two streams lock in the same one.
  major_key  text NOT NULL,
  minor_key  text NOT NULL,
  place      integer NOT NULL,
  body       jsonb NOT NULL,
  PRIMARY KEY (stream_id, major_key, minor_key, place)
);

-- migrate:down
