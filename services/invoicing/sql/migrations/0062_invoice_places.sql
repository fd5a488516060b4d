-- migrate:up
-- Where an invoice was begun before a retry moved it to another account: an answer that never came may have left one there.
CREATE TABLE invoice_places (
  show_id           uuid NOT NULL REFERENCES shows,
  invoice_id        uuid NOT NULL REFERENCES invoices,
  provider          integration_provider NOT NULL,
  external_account  text NOT NULL,
  livemode          boolean NOT NULL,
  left_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (show_id, invoice_id, provider, external_account, livemode)
);

-- By the database itself: no way of moving an invoice can forget it.
CREATE FUNCTION note_invoice_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO invoice_places (show_id, invoice_id, provider, external_account, livemode)
  VALUES (OLD.show_id, OLD.id, OLD.provider, OLD.external_account, OLD.livemode)
  ON CONFLICT DO NOTHING;
  RETURN NULL;
END
$$;
CREATE TRIGGER invoices_note_place AFTER UPDATE OF provider, external_account, livemode ON invoices
  FOR EACH ROW
  WHEN ((OLD.provider, OLD.external_account, OLD.livemode) IS DISTINCT FROM (NEW.provider, NEW.external_account, NEW.livemode))
  EXECUTE FUNCTION note_invoice_place();

-- migrate:down
