-- migrate:up
-- What is noted while an earlier note of it stands is looked for anew, and not before the later of both moments.
CREATE OR REPLACE FUNCTION note_leftover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id, look_at)
  VALUES (OLD.id, OLD.provider, OLD.external_account, OLD.livemode, TG_ARGV[0], clock_timestamp() + TG_ARGV[1]::interval)
  ON CONFLICT (invoice_id, provider, external_account, livemode, external_id)
  DO UPDATE SET look_at = greatest(leftovers.look_at, excluded.look_at), tries = 0;
  RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION note_late_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id)
  VALUES (NEW.id, NEW.provider, NEW.external_account, NEW.livemode, NEW.external_id)
  ON CONFLICT (invoice_id, provider, external_account, livemode, external_id)
  DO UPDATE SET look_at = excluded.look_at, tries = 0;
  RETURN NULL;
END
$$;

-- One whose making failed has begun, also where a retry that was cancelled set its beginning back.
DROP TRIGGER invoices_voided_unmade ON invoices;
CREATE TRIGGER invoices_voided_unmade AFTER UPDATE OF status ON invoices
  FOR EACH ROW
  WHEN (NEW.status = 'void' AND NEW.external_id = ''
        AND (OLD.status = 'error'
             OR OLD.status = 'pending' AND (NEW.first_attempt_at IS NOT NULL OR NEW.attempt > 1)))
  EXECUTE FUNCTION note_leftover('', '3 minutes');

-- What was left before this was noted, spread over an hour.
INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id, look_at)
SELECT places.invoice_id, places.provider, places.external_account, places.livemode, '',
       clock_timestamp() + random() * interval '1 hour'
FROM invoice_places AS places JOIN invoices ON invoices.id = places.invoice_id
WHERE (places.provider, places.external_account, places.livemode)
  IS DISTINCT FROM (invoices.provider, invoices.external_account, invoices.livemode)
ON CONFLICT DO NOTHING;
INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id, look_at)
SELECT id, provider, external_account, livemode, '', clock_timestamp() + random() * interval '1 hour'
FROM invoices
WHERE status = 'void' AND external_id = '' AND (first_attempt_at IS NOT NULL OR attempt > 1)
ON CONFLICT DO NOTHING;

-- migrate:down
