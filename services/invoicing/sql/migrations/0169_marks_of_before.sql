-- migrate:up
-- Marks that were made one by one before they were kept: their history has them, asked for before the invoice was paid, and
-- not refused since.
UPDATE invoices SET paid_outside = coalesce(nullif(split_part(asked.reason, ' was asked for. Note: ', 2), ''), 'yes')
FROM (
  SELECT DISTINCT ON (invoice_id) invoice_id, version, reason FROM invoice_history
  WHERE reason LIKE 'Marking it as paid outside the provider was asked for.%'
  ORDER BY invoice_id, version
) AS asked
WHERE invoices.id = asked.invoice_id AND status = 'paid'
  AND EXISTS (
    SELECT FROM invoice_history AS paid
    WHERE paid.invoice_id = asked.invoice_id AND paid.version > asked.version AND paid.to_status = 'paid'
      AND paid.from_status <> 'paid'
  )
  AND NOT EXISTS (
    SELECT FROM invoice_history AS refused
    WHERE refused.invoice_id = asked.invoice_id AND refused.version > asked.version
      AND refused.reason LIKE 'It was not marked as paid.%'
  );

-- migrate:down
