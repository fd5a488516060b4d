"""The rules of invoicing: no I/O, no clock, no ids of its own making."""
