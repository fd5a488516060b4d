"""The pages a person sees: the hosted invoice, the dashboard's invoice, the mailbox."""
