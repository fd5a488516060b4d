-- migrate:up
-- What the settings put on an invoice, fixed at the first try of each attempt: a retry must send the same bytes.
CREATE TABLE invoice_terms (
    workspace_id uuid NOT NULL,
    invoice_id uuid NOT NULL,
    revision integer NOT NULL,
    attempt integer NOT NULL,
    memo text NOT NULL,
    footer text NOT NULL,
    days_until_due integer NOT NULL,
    payment_instructions text NOT NULL,
    create_time timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (workspace_id, invoice_id, revision, attempt)
);

-- migrate:down
