"""Addresses that show something and change nothing."""
