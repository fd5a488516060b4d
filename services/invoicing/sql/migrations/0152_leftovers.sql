-- migrate:up
-- What may stand at a provider beside the invoice that counts: looked for, and voided. A row stands until that is done,
-- whatever dies meanwhile.
CREATE TABLE leftovers (
  invoice_id        uuid NOT NULL REFERENCES invoices,
  provider          integration_provider NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  -- Empty where it is still to be found by our mark.
  external_id       text NOT NULL,
  look_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  tries             integer NOT NULL DEFAULT 0,
  PRIMARY KEY (invoice_id, provider, external_account, livemode, external_id)
);
CREATE INDEX leftovers_due ON leftovers (look_at);

-- By the database itself, so that no way of voiding or moving an invoice can forget it.
CREATE FUNCTION note_leftover() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id, look_at)
  VALUES (OLD.id, OLD.provider, OLD.external_account, OLD.livemode, TG_ARGV[0], clock_timestamp() + TG_ARGV[1]::interval)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE FUNCTION note_late_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leftovers (invoice_id, provider, external_account, livemode, external_id)
  VALUES (NEW.id, NEW.provider, NEW.external_account, NEW.livemode, NEW.external_id)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;

-- A retry took it to another account: an answer that never came may have left one in the old.
CREATE TRIGGER invoices_left_behind AFTER UPDATE OF provider, external_account, livemode ON invoices
  FOR EACH ROW
  WHEN ((OLD.provider, OLD.external_account, OLD.livemode) IS DISTINCT FROM (NEW.provider, NEW.external_account, NEW.livemode))
  EXECUTE FUNCTION note_leftover('', '0');

-- Voided while nothing was known to stand, though a try had begun: a call that nobody waits for any more may still make it.
-- By then all calls are over.
CREATE TRIGGER invoices_voided_unmade AFTER UPDATE OF status ON invoices
  FOR EACH ROW
  WHEN (NEW.status = 'void' AND OLD.status IN ('pending', 'error') AND NEW.external_id = ''
        AND (NEW.first_attempt_at IS NOT NULL OR NEW.attempt > 1))
  EXECUTE FUNCTION note_leftover('', '3 minutes');

-- Void, and only now something is heard of it at the provider.
CREATE TRIGGER invoices_made_after_void AFTER UPDATE OF external_id ON invoices
  FOR EACH ROW
  WHEN (OLD.status = 'void' AND NEW.status = 'void' AND OLD.external_id = '' AND NEW.external_id <> '')
  EXECUTE FUNCTION note_late_invoice();

-- migrate:down
