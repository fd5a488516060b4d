"""Addresses that a form or a button sends to."""
