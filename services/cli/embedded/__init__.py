"""Postgres and NATS servers that come as Python packages and run from a folder, on loopback."""
