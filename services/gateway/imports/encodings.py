"""In what encoding a file is written: nobody says it, so its bytes have to."""

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

_CHUNK: Final = 1024 * 1024
_BEGINNING: Final = 4096
_SEQUENCE: Final = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_STRAY: Final = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is read."""

    name: str
    """For the reader of a report."""
    codec: str
    errors: str
    """What Python does with bytes that are no text: either leaves something that no text has in its place."""


_UTF_8: Final = Encoding("UTF-8", "utf-8-sig", "surrogateescape")
_WINDOWS: Final = Encoding("Windows-1252", "cp1252", "surrogateescape")


def encoding_of(file: BinaryIO) -> Encoding:
    """UTF-8, UTF-16 (by its mark, or by its zeros) or Windows-1252. Reads the whole file, and blocks."""
    file.seek(0)
    beginning = file.read(_BEGINNING)
    if beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Encoding("UTF-16", "utf-16", "replace")
    for codec, zeros in (("utf-16-le", beginning[1::2]), ("utf-16-be", beginning[::2])):
        if zeros.count(0) * 3 > len(zeros):
            return Encoding("UTF-16", codec, "replace")
    return _UTF_8 if _is_utf_8(file) or _speaks_utf_8(file) else _WINDOWS


def _is_utf_8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in _chunks(file):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _speaks_utf_8(file: BinaryIO) -> bool:
    """Whether a file that is not all UTF-8 is so for the most part: then its other lines are damaged."""
    sequences = strays = 0
    for chunk in _chunks(file):
        rest, count = _SEQUENCE.subn(b"", chunk)
        sequences += count
        strays += len(_STRAY.findall(rest))
    return sequences >= strays


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    file.seek(0)
    while chunk := file.read(_CHUNK):
        yield chunk
