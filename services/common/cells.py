"""Cells of CSV files: text that a spreadsheet would run as a formula is marked as text, and comes back as it was."""

from typing import Final

_MARK: Final = "'"
"""What spreadsheets themselves put before text."""
_DANGEROUS: Final = frozenset("=+-@\t\r\n＝＋－＠")


def marked(text: str) -> str:
    """The cell for a text, never the beginning of a formula. `plain` gives the text back, to the letter."""
    return _MARK + text if _needs_mark(text) else text


def plain(cell: str) -> str:
    """The text of a cell: without spaces around it, unless a mark of ours says that they belong to it."""
    if cell.startswith(_MARK) and _needs_mark(cell[1:]):
        return cell[1:]
    return cell.strip()


def _needs_mark(text: str) -> bool:
    bare = text.lstrip(_MARK)  # what looks like a marked cell is marked once more
    return bare[:1] in _DANGEROUS or bare != bare.strip()
