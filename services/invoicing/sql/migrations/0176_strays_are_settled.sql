-- migrate:up
-- A payment that counts for no invoice is settled by a person, who says how; until then it is told on the show's page.
CREATE TYPE stray_settlement AS ENUM ('returned', 'counted_elsewhere');

ALTER TABLE stray_payments
  -- The default is for those that were noted before.
  ADD COLUMN id            uuid NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN paid_at       timestamptz,
  -- The provider's own page of what was paid; empty where it told none.
  ADD COLUMN provider_url  text NOT NULL DEFAULT '',
  ADD COLUMN settlement    stray_settlement,
  ADD COLUMN note          text NOT NULL DEFAULT '',
  ADD COLUMN settled_by    text NOT NULL DEFAULT '',
  ADD COLUMN settled_at    timestamptz,
  ADD CONSTRAINT stray_payments_id UNIQUE (id),
  ADD CONSTRAINT settled_with_time CHECK ((settlement IS NULL) = (settled_at IS NULL));

-- migrate:down
