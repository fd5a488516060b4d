"""A stand-in for Stripe's API: stateful, faithful in shape and refusals, with faults on demand."""
