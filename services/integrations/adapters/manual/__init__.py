"""No provider at all: the operator takes bank transfers or cash, and marks invoices paid by hand."""
