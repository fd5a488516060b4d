-- migrate:up
CREATE TYPE show_state AS ENUM ('draft', 'active', 'paused', 'ended');

-- In the order in which they beat each other where two states of a claim carry the same sequence and time.
CREATE TYPE claim_status AS ENUM ('waitlist', 'winner', 'released', 'passed');

CREATE TABLE shows (
  id            uuid PRIMARY KEY,
  workspace_id  uuid NOT NULL,
  name          text NOT NULL,
  state         show_state NOT NULL DEFAULT 'draft',
  currency      text NOT NULL,
  -- Rises by one with every event of the show, in the transaction that writes the event.
  seq           bigint NOT NULL DEFAULT 0,
  -- Kept up by what changes them, under the lock of this row.
  item_count    integer NOT NULL DEFAULT 0,
  claim_count   integer NOT NULL DEFAULT 0,
  buyer_count   integer NOT NULL DEFAULT 0,
  request_id    uuid,
  start_at      timestamptz,
  end_at        timestamptz,
  created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
  UNIQUE (workspace_id, request_id)
);
CREATE INDEX shows_by_workspace ON shows (workspace_id, id);

CREATE TABLE show_items (
  id            uuid PRIMARY KEY,
  show_id       uuid NOT NULL REFERENCES shows,
  item_number   text NOT NULL,
  -- Sorts 2 before 10, numbers of one value by their letters, and what is no number last.
  number_order  text COLLATE "C" NOT NULL GENERATED ALWAYS AS (
                  coalesce(lpad(substring(item_number from '^[0-9]{1,20}'), 20, '0'), ':') || item_number
                ) STORED,
  title         text NOT NULL,
  -- Minor units. NULL is unpriced, 0 is free on purpose.
  price         bigint CHECK (price >= 0),
  quantity      bigint CHECK (quantity >= 0),
  UNIQUE (show_id, item_number) INCLUDE (id, price),
  UNIQUE (show_id, id)
);
CREATE INDEX show_items_in_order ON show_items (show_id, number_order);

-- A person on a live platform, within a workspace.
CREATE TABLE buyers (
  id                uuid PRIMARY KEY,
  workspace_id      uuid NOT NULL,
  platform          text NOT NULL,
  platform_user_id  text NOT NULL,
  handle            text NOT NULL,
  display_name      text NOT NULL,
  email             text NOT NULL,
  UNIQUE (workspace_id, platform, platform_user_id)
);

CREATE TABLE claims (
  id            uuid PRIMARY KEY,
  show_id       uuid NOT NULL REFERENCES shows,
  -- The caller's own id.
  claim_id      text NOT NULL,
  buyer_id      uuid NOT NULL REFERENCES buyers,
  show_item_id  uuid NOT NULL,
  quantity      bigint NOT NULL CHECK (quantity > 0),
  status        claim_status NOT NULL,
  claim_time    timestamptz NOT NULL,
  -- The caller's counter of states of this claim; 0 orders by claim_time.
  sequence      bigint NOT NULL,
  UNIQUE (show_id, claim_id),
  FOREIGN KEY (show_id, show_item_id) REFERENCES show_items (show_id, id)
);
-- What the rollup reads, without touching the table.
CREATE INDEX claims_won ON claims (show_id, buyer_id) INCLUDE (show_item_id, quantity) WHERE status = 'winner';
CREATE INDEX claims_in_order ON claims (show_id, claim_time, id);

-- The lines that a buyer won: one for each item. The rule of what is owed, in one place.
CREATE VIEW won_lines AS
SELECT claims.show_id, claims.buyer_id, show_items.item_number, show_items.number_order, show_items.title,
       show_items.price AS unit_price, sum(claims.quantity)::bigint AS quantity, count(*) AS claim_count
FROM claims
JOIN show_items ON show_items.show_id = claims.show_id AND show_items.id = claims.show_item_id
WHERE claims.status = 'winner'
GROUP BY claims.show_id, claims.buyer_id, show_items.id;

-- What each buyer of a show owes. A condition on show_id reaches the claims; a column that is not asked for costs nothing.
CREATE VIEW rollups AS
SELECT show_id, buyer_id,
       sum(claim_count)::integer AS claim_count,
       count(*)::integer AS line_count,
       (count(*) FILTER (WHERE unit_price IS NULL))::integer AS unpriced_count,
       coalesce(sum(quantity * unit_price), 0)::bigint AS total,
       -- Names what is owed: it changes with items, quantities and prices, not with titles.
       md5(string_agg(concat_ws(' ', item_number, quantity, coalesce(unit_price::text, '-')), ',' ORDER BY number_order)) AS digest,
       jsonb_agg(jsonb_build_object(
         'item_number', item_number, 'title', title, 'quantity', quantity, 'unit_price', unit_price,
         'amount', coalesce(quantity * unit_price, 0)
       ) ORDER BY number_order) AS line_items
FROM won_lines
GROUP BY show_id, buyer_id;

-- migrate:down
