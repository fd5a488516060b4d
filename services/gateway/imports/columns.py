"""The first line of a file: which columns it names, under whichever usual name, and what separates them."""

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from services.common.errors import Fault, InvalidRequest
from services.gateway.imports.lines import SEPARATORS

_BREAKS: Final = re.compile(r"[\s\-./]+")
_HUMPS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


class BadHeader(InvalidRequest):
    """The first line does not name the columns that are needed."""

    reason = "BAD_HEADER"


@dataclass(frozen=True, slots=True)
class Columns:
    """What the first line must name, and what it may."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict)
    """Other names of columns."""
    instead: Mapping[str, str] = field(default_factory=dict)
    """For a required column another one that may take its place."""

    passed_over: tuple[str, ...] = ()
    """What our own files have beside: nothing of it is taken."""

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.required, *self.optional)

    def canonical(self, name: str) -> str:
        """`Item No.` and `itemNo` are item_no, which is item_number."""
        words = _BREAKS.sub("_", _HUMPS.sub("_", name.strip())).strip("_").lower()
        return self.synonyms.get(words, words)

    def recognised(self, header: Sequence[str]) -> int:
        return len({self.canonical(name) for name in header} & set(self.known))


def separator_of(first: str, columns: Columns) -> str:
    """The one by which the first line names most known columns."""
    return max(SEPARATORS, key=lambda one: (columns.recognised(_split(first, one)), first.count(one)))


def read_header(first: str, separator: str, columns: Columns) -> list[str]:
    """The columns by their own names, in order. Raises BadHeader."""
    header = _split(first, separator)
    while header and not header[-1].strip():
        header.pop()  # a spreadsheet leaves separators behind the last column
    names = [columns.canonical(name) for name in header]
    if faults := [*_missing(names, columns), *_unknown(header, names, columns), *_twice(header, names, columns)]:
        raise BadHeader(" ".join(fault.problem for fault in faults[:3]), faults=faults[:50])
    return names


def _split(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator), [])
    except csv.Error:
        return [line]


def _missing(names: Sequence[str], columns: Columns) -> list[Fault]:
    return [
        Fault(f"columns.{name}", f"The column {name} is missing in the first line.")
        for name in columns.required
        if name not in names and columns.instead.get(name) not in names
    ]


def _unknown(header: Sequence[str], names: Sequence[str], columns: Columns) -> list[Fault]:
    known = ", ".join(columns.known)
    return [
        Fault(f"columns.{name[:50]}", f"The column {told.strip()[:50] or '(empty)'} is not known. Known are {known}.")
        for name, told in dict(zip(names, header, strict=True)).items()
        if name not in (*columns.known, *columns.passed_over)
    ]


def _twice(header: Sequence[str], names: Sequence[str], columns: Columns) -> list[Fault]:
    faults = []
    for name in columns.known:
        told = [given.strip()[:50] for given, meant in zip(header, names, strict=True) if meant == name]
        if len(set(told)) > 1:
            problem = f"The columns {' and '.join(told)} both mean {name}. Leave one out."
            faults.append(Fault(f"columns.{name}", problem))
        elif len(told) > 1:
            faults.append(Fault(f"columns.{name}", f"The column {name} is there twice."))
    return faults
