"""The Stripe adapter. Only this folder knows Stripe's words and imports its SDK."""
