-- migrate:up
-- The database refuses every move of a status that the table in domain/invoice.py does not have. The pairs are written
-- from that table (tests/invoicing/test_status_guard.py holds the two together and says what to write after a change).
CREATE FUNCTION refuse_move() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'an invoice does not go from % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
END
$$;

CREATE TRIGGER legal_moves BEFORE UPDATE OF status ON invoices FOR EACH ROW
WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN (
  ('pending', 'draft'), ('pending', 'error'), ('pending', 'paid'), ('pending', 'payment_failed'), ('pending', 'sent'), ('pending', 'uncollectible'), ('pending', 'void'),
  ('error', 'draft'), ('error', 'paid'), ('error', 'payment_failed'), ('error', 'pending'), ('error', 'sent'), ('error', 'uncollectible'), ('error', 'void'),
  ('draft', 'paid'), ('draft', 'payment_failed'), ('draft', 'sent'), ('draft', 'uncollectible'), ('draft', 'void'),
  ('sent', 'paid'), ('sent', 'payment_failed'), ('sent', 'uncollectible'), ('sent', 'void'),
  ('payment_failed', 'paid'), ('payment_failed', 'uncollectible'), ('payment_failed', 'void'),
  ('uncollectible', 'paid'), ('uncollectible', 'void'),
  ('void', 'paid')
))
EXECUTE FUNCTION refuse_move();

-- migrate:down
