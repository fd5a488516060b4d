-- migrate:up
-- The money of each show as it was summed last. Every change of it raises the show's position, so that a sum at the
-- position of now is right, however old it is.
CREATE TABLE show_sums (
  show_id        uuid PRIMARY KEY REFERENCES shows,
  seq            bigint NOT NULL,
  -- Minor units: priced winner claims, and paid invoices.
  claimed        bigint NOT NULL,
  collected      bigint NOT NULL,
  -- Not void.
  invoice_count  integer NOT NULL,
  error_count    integer NOT NULL
);

-- migrate:down
