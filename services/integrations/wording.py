"""Counts in sentences."""


def counted(count: int, noun: str, verbs: tuple[str, str] | None = None) -> str:
    """`1 connection`, `2,000 connections`; with the verb that goes with it, of the one for one and the one for many."""
    one = count == 1
    words = f"{count:,} {noun}{'' if one else 's'}"
    return f"{words} {verbs[0] if one else verbs[1]}" if verbs else words
